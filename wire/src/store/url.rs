//! `StoreUrl`: where a store is, as an operator writes it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A directory, `file:///var/lib/funcatron`.
    Directory(PathBuf),
    /// A bucket and what the keys in it begin with, `s3://bucket/prefix`.
    S3 {
        /// The bucket.
        bucket: String,
        /// Without slashes at its ends; empty for none.
        prefix: String,
    },
    /// The objects that a Tron hands out, `http://tron:3001`: the URL of its admin API.
    Tron(Url),
}

/// Why a text is not the URL of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadStoreUrl {
    /// Of no form that we know.
    #[error("a store is file:///DIRECTORY, s3://BUCKET/PREFIX or http(s)://TRON:PORT")]
    Shape,
    /// URLs are shown in logs and lists of processes.
    #[error("a store's URL holds no credentials: they come from the token or from AWS_*")]
    Credentials,
}

impl FromStr for StoreUrl {
    type Err = BadStoreUrl;

    fn from_str(text: &str) -> Result<Self, BadStoreUrl> {
        let url = Url::parse(text).map_err(|_not_a_url| BadStoreUrl::Shape)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadStoreUrl::Credentials);
        }
        let store = match url.scheme() {
            // The path of any other file URL is not what it seems: the host would be left out.
            "file" if text.starts_with("file:///") => url.to_file_path().ok().map(Self::Directory),
            "s3" => url.host_str().map(|bucket| Self::S3 {
                bucket: bucket.to_owned(),
                prefix: url.path().trim_matches('/').to_owned(),
            }),
            "http" | "https" => Some(Self::Tron(url.clone())),
            _ => None,
        };
        let plain = url.query().is_none() && url.fragment().is_none();
        store.filter(|_| plain).ok_or(BadStoreUrl::Shape)
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "file://{}", path.display()),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
            Self::Tron(url) => f.write_str(url.as_str().trim_end_matches('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_directory_a_bucket_or_a_tron() {
        let parse = |text: &str| text.parse::<StoreUrl>().unwrap();
        assert_eq!(parse("file:///var/lib/a%20b"), StoreUrl::Directory("/var/lib/a b".into()));
        let s3 = |prefix: &str| StoreUrl::S3 { bucket: "bucket".into(), prefix: prefix.into() };
        assert_eq!(parse("s3://bucket"), s3(""));
        assert_eq!(parse("s3://bucket/a/b/"), s3("a/b"));
        for text in ["http://tron:3001", "https://funcatron.example/tron", "s3://bucket/a/b"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_store_is_refused() {
        for text in
            ["", "/var/lib", "file://var/lib", "file:/var", "s3:///a", "gs://a", "tron:3001", "s3://a?b=c"]
        {
            assert_eq!(text.parse::<StoreUrl>(), Err(BadStoreUrl::Shape), "{text}");
        }
        for text in ["http://me:secret@tron:3001", "s3://key@bucket/"] {
            assert_eq!(text.parse::<StoreUrl>(), Err(BadStoreUrl::Credentials), "{text}");
        }
    }
}
