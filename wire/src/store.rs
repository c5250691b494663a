//! `Store`: bundles, the deployment log, large bodies, calls and captures, in a directory, an object store or behind a Tron.

mod bodies;
mod calls;
mod captures;
mod client;
mod embedding;
mod error;
mod json;
mod observations;
mod pending;
mod records;
mod sweep;
mod url;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::http::HttpBuilder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::prefix::PrefixStore;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, RetryConfig};

use crate::admin::{Deployment, OBJECTS_PATH};
use crate::{BundleSha, Timestamp};

pub use self::bodies::{BODY_BYTES_MAX, BodyStream, Upload};
pub use self::captures::{CaptureEnd, CaptureRecord, Chunk, EndReason};
pub use self::error::Error;
pub use self::records::RecordKind;
pub use self::url::{BadStoreUrl, StoreUrl};
use client::Client;
use error::unavailable;
use json::numbered_key;

/// How often, and how long, a Tron is asked again: whoever asks has a timer of its own.
const TRON_RETRIES: usize = 3;
const TRON_RETRY_TIMEOUT: Duration = Duration::from_secs(10);

const BUNDLES: &str = "bundles";
const DEPLOYMENTS: &str = "deployments";

/// Where the desired state lives. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    /// Where the objects are files.
    directory: Option<Arc<Path>>,
}

/// What opens a store.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The token of the Trons' admin API.
    pub token: Option<String>,
    /// What the environment says to clients of S3: the variables that begin with `AWS_`.
    pub aws: Vec<(String, String)>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Store {
    /// The store at this URL. One that is over the network need not be there yet.
    ///
    /// # Errors
    /// When a directory cannot be made or opened, or the credentials make no sense.
    pub fn open(url: &StoreUrl, credentials: &Credentials) -> Result<Self, Error> {
        let objects = match url {
            StoreUrl::Directory(path) => return Self::directory(path),
            StoreUrl::S3 { bucket, prefix } => open_s3(bucket, prefix, credentials),
            StoreUrl::Tron(url) => open_tron(url.as_str(), credentials),
        };
        let objects = objects.map_err(|source| unavailable(format!("open store {url}"), source))?;
        Ok(Self { objects, directory: None })
    }

    /// A store in a directory, made if need be. Every write is on the disk before it is acknowledged.
    ///
    /// # Errors
    /// When the directory cannot be made or opened.
    pub fn directory(path: &Path) -> Result<Self, Error> {
        let objects = open_directory(path)
            .map_err(|source| unavailable(format!("open store {}", path.display()), source))?;
        Ok(Self { objects: Arc::new(objects), directory: Some(path.into()) })
    }

    /// A store that goes with the last of its clones, for work of one process.
    pub fn memory() -> Self {
        Self { objects: Arc::new(InMemory::new()), directory: None }
    }

    /// Keeps a bundle under its SHA-256. Keeping it again changes nothing.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn put_bundle(&self, zip: Bytes) -> Result<BundleSha, Error> {
        let sha = BundleSha::of(&zip);
        // Overwriting replaces the object as a whole, and repairs one that was damaged.
        match self.objects.put(&bundle_key(&sha), zip.into()).await {
            Ok(_) => Ok(sha),
            Err(source) => Err(unavailable(format!("keep bundle {sha}"), source)),
        }
    }

    /// The bytes of a bundle, checked against its SHA-256; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be read or the bytes are damaged.
    pub async fn bundle(&self, sha: &BundleSha) -> Result<Option<Bytes>, Error> {
        let Some(zip) = self.get(&bundle_key(sha), || format!("fetch bundle {sha}")).await? else {
            return Ok(None);
        };
        if BundleSha::of(&zip) != *sha {
            return Err(Error::Damaged(sha.clone()));
        }
        Ok(Some(zip))
    }

    /// Every bundle, with its size in bytes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn bundles(&self) -> Result<Vec<(BundleSha, u64)>, Error> {
        let objects = self.list(BUNDLES).await?;
        let mut bundles: Vec<_> = objects
            .iter()
            .filter_map(|object| Some((BundleSha::parse(object.location.filename()?).ok()?, object.size)))
            .collect();
        bundles.sort();
        Ok(bundles)
    }

    /// Removes a bundle. Removing what is not there is no error.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn delete_bundle(&self, sha: &BundleSha) -> Result<(), Error> {
        self.remove(&bundle_key(sha), || format!("delete bundle {sha}")).await.map(drop)
    }

    /// Appends to the deployment log: the compare-and-swap that every change is.
    ///
    /// # Errors
    /// [`Error::Taken`] when that number exists.
    pub async fn append_deployment(&self, deployment: &Deployment) -> Result<(), Error> {
        let number = deployment.number;
        // People read these files.
        let json =
            serde_json::to_vec_pretty(deployment).map_err(|source| Error::Corrupt { number, source })?;
        match self.objects.put_opts(&deployment_key(number), json.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => Err(Error::Taken(number)),
            Err(source) => Err(unavailable(format!("append deployment {number}"), source)),
        }
    }

    /// One entry of the deployment log.
    ///
    /// # Errors
    /// When the store cannot be read or the entry is corrupt.
    pub async fn deployment(&self, number: u64) -> Result<Option<Deployment>, Error> {
        let json = self.get(&deployment_key(number), || format!("fetch deployment {number}")).await?;
        json.map(|json| serde_json::from_slice(&json))
            .transpose()
            .map_err(|source| Error::Corrupt { number, source })
    }

    /// The numbers of the deployment log, ascending.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn deployment_numbers(&self) -> Result<Vec<u64>, Error> {
        self.numbers(DEPLOYMENTS).await
    }

    async fn get(&self, key: &Key, action: impl Fn() -> String) -> Result<Option<Bytes>, Error> {
        let object = match self.objects.get(key).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(unavailable(action(), source)),
            Ok(object) => object,
        };
        object.bytes().await.map(Some).map_err(|source| unavailable(action(), source))
    }

    /// Removes an object; says whether it was there.
    async fn remove(&self, key: &Key, action: impl Fn() -> String) -> Result<bool, Error> {
        match self.objects.delete(key).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(unavailable(action(), source)),
        }
    }

    async fn list(&self, folder: &str) -> Result<Vec<ObjectMeta>, Error> {
        let folder = Key::from(folder);
        let objects = self.objects.list(Some(&folder)).try_collect().await;
        objects.map_err(|source| unavailable(format!("list {folder}"), source))
    }
}

/// Whether an object was last written before a moment.
fn is_older(object: &ObjectMeta, before: Timestamp) -> bool {
    u64::try_from(object.last_modified.timestamp_millis()).is_ok_and(|at| at < before.0)
}

fn open_s3(
    bucket: &str,
    prefix: &str,
    credentials: &Credentials,
) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let known = credentials
        .aws
        .iter()
        .filter_map(|(name, value)| Some((name.to_ascii_lowercase().parse().ok()?, value)));
    let s3 = known.fold(AmazonS3Builder::new(), |s3, (key, value)| s3.with_config(key, value));
    let s3 = s3.with_bucket_name(bucket).with_http_connector(Client::new(None)?).build()?;
    Ok(Arc::new(PrefixStore::new(s3, Key::parse(prefix)?)))
}

fn open_tron(url: &str, credentials: &Credentials) -> Result<Arc<dyn ObjectStore>, object_store::Error> {
    let retries = RetryConfig {
        max_retries: TRON_RETRIES,
        retry_timeout: TRON_RETRY_TIMEOUT,
        ..RetryConfig::default()
    };
    let url = format!("{}{OBJECTS_PATH}", url.trim_end_matches('/'));
    let client = Client::new(credentials.token.as_deref())?;
    let tron = HttpBuilder::new().with_url(url).with_retry(retries).with_http_connector(client);
    Ok(Arc::new(tron.build()?))
}

fn open_directory(path: &Path) -> Result<LocalFileSystem, object_store::Error> {
    make_directory(path)
        .map_err(|source| object_store::Error::Generic { store: "directory", source: source.into() })?;
    // Without it an acknowledged write is an empty file after a power cut.
    Ok(LocalFileSystem::new_with_prefix(path)?.with_fsync(true))
}

/// Bundles are other people's code and deployments hold their settings: the directory is for its owner.
fn make_directory(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

fn bundle_key(sha: &BundleSha) -> Key {
    Key::from_iter([BUNDLES, sha.as_str()])
}

fn deployment_key(number: u64) -> Key {
    numbered_key(DEPLOYMENTS, number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    /// A store that lasts for as long as its directory.
    pub(super) fn store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::directory(&directory.path().join("a/store")).unwrap();
        (directory, store)
    }

    fn deployment(number: u64, by: &str) -> Deployment {
        Deployment { number, at: Timestamp(0), by: by.into(), action: "test".into(), routes: Vec::new() }
    }

    #[tokio::test]
    async fn a_bundle_is_kept_once_under_its_sha() {
        let (_directory, store) = store();
        let sha = store.put_bundle(Bytes::from_static(b"zip")).await.unwrap();
        assert_eq!(store.put_bundle(Bytes::from_static(b"zip")).await.unwrap(), sha);
        assert_eq!(store.bundle(&sha).await.unwrap().unwrap(), "zip");
        assert_eq!(store.bundles().await.unwrap(), [(sha.clone(), 3)]);
        store.delete_bundle(&sha).await.unwrap();
        store.delete_bundle(&sha).await.unwrap();
        assert_eq!(store.bundle(&sha).await.unwrap(), None);
        assert_eq!(store.bundles().await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_damaged_bundle_is_told_and_repaired_by_keeping_it_again() {
        let (directory, store) = store();
        let sha = store.put_bundle(Bytes::from_static(b"zip")).await.unwrap();
        std::fs::write(directory.path().join(format!("a/store/bundles/{sha}")), b"zap").unwrap();
        assert!(matches!(store.bundle(&sha).await, Err(Error::Damaged(damaged)) if damaged == sha));
        store.put_bundle(Bytes::from_static(b"zip")).await.unwrap();
        assert_eq!(store.bundle(&sha).await.unwrap().unwrap(), "zip");
    }

    #[tokio::test]
    async fn of_twenty_who_append_the_same_number_one_succeeds() {
        let (_directory, store) = store();
        let appends = (0..20).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let deployment = deployment(1, &writer.to_string());
                store.append_deployment(&deployment).await.map(|()| deployment)
            })
        });
        let results = futures_util::future::join_all(appends).await.into_iter().map(Result::unwrap);
        let (written, refused): (Vec<_>, Vec<_>) = results.partition(Result::is_ok);
        assert_eq!(written.len(), 1);
        assert!(refused.iter().all(|result| matches!(result, Err(Error::Taken(1)))));
        assert_eq!(store.deployment(1).await.unwrap(), written.into_iter().next().unwrap().ok());
    }

    #[tokio::test]
    async fn the_deployment_log_is_in_numerical_order() {
        let (directory, store) = store();
        for number in [10, 2, u64::MAX, 1] {
            store.append_deployment(&deployment(number, "me")).await.unwrap();
        }
        std::fs::write(directory.path().join("a/store/deployments/3.json"), b"").unwrap();
        assert_eq!(store.deployment_numbers().await.unwrap(), [1, 2, 10, u64::MAX]);
        assert_eq!(store.deployment(3).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_person_can_read_a_deployment() {
        let (directory, store) = store();
        store.append_deployment(&deployment(7, "me")).await.unwrap();
        let path = directory.path().join("a/store/deployments/00000000000000000007.json");
        let json = std::fs::read_to_string(path).unwrap();
        assert!(json.contains("\n  \"by\": \"me\",\n"), "{json}");
    }

    #[tokio::test]
    async fn an_entry_that_cannot_be_read_is_corrupt_and_not_absent() {
        let (directory, store) = store();
        store.append_deployment(&deployment(1, "me")).await.unwrap();
        std::fs::write(directory.path().join("a/store/deployments/00000000000000000001.json"), b"").unwrap();
        assert!(matches!(store.deployment(1).await, Err(Error::Corrupt { number: 1, .. })));
    }

    #[cfg(unix)]
    #[test]
    fn the_directory_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (directory, _store) = store();
        let mode = std::fs::metadata(directory.path().join("a/store")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    /// `LocalFileSystem` shows its settings when it is printed, and nowhere else.
    #[test]
    fn what_is_written_is_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let objects = open_directory(directory.path()).unwrap();
        assert!(format!("{objects:?}").contains("fsync: true"), "{objects:?}");
    }
}
