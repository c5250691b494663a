//! Captures as they lie in the store: what was asked for, why it ended, and the calls in chunks. Who writes a chunk
//! says in its name how many calls are in it, so that several may write and none has to count for all.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode, PutPayload};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Error, Store, is_older, unavailable};
use crate::capture::Capture;
use crate::invoke::is_false;
use crate::{CaptureId, MemberId, Timestamp};

const CAPTURES: &str = "captures";
const RECORD: &str = "capture.json";
const END: &str = "ended.json";
const MISSED: &str = "missed.json";
const CHUNK: &str = "jsonl";

/// What was asked for, and of which place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureRecord {
    /// What was asked for.
    pub capture: Capture,
    /// The host of the route, `*` for any.
    pub host: String,
    /// The base path of the route.
    pub base_path: String,
    /// Whether it was written elsewhere and brought here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub imported: bool,
}

/// That a capture ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureEnd {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// Why a capture ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// Somebody stopped it.
    Stopped,
    /// It has as many bytes as it may have.
    Full,
}

/// Some of a capture's calls, one per line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chunk {
    /// Its name; those written later sort behind.
    name: String,
    /// How many calls.
    pub entries: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl Store {
    /// Keeps what was asked for.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn put_capture(&self, record: &CaptureRecord) -> Result<(), Error> {
        let key = key(&record.capture.id, RECORD);
        self.put_json(&key, record, PutMode::Overwrite, || "keep a capture".to_owned()).await.map(drop)
    }

    /// What was asked for; `None` when there is no such capture.
    ///
    /// # Errors
    /// When the store or the object cannot be read.
    pub async fn capture(&self, id: &CaptureId) -> Result<Option<CaptureRecord>, Error> {
        self.json(&key(id, RECORD)).await
    }

    /// Every capture that has something in the store, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn captures(&self) -> Result<Vec<CaptureId>, Error> {
        let listed = self.objects.list_with_delimiter(Some(&Key::from(CAPTURES))).await;
        let listed = listed.map_err(|source| unavailable("list captures".to_owned(), source))?;
        let ids =
            listed.common_prefixes.iter().filter_map(|prefix| CaptureId::parse(prefix.filename()?).ok());
        let mut ids: Vec<_> = ids.collect();
        ids.sort();
        Ok(ids)
    }

    /// Takes note that a capture has ended. The first who says so is the one who counts.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn end_capture(&self, id: &CaptureId, end: CaptureEnd) -> Result<(), Error> {
        let action = || "end a capture".to_owned();
        self.put_json(&key(id, END), &end, PutMode::Create, action).await.map(drop)
    }

    /// That a capture has ended before its time.
    ///
    /// # Errors
    /// When the store or the object cannot be read.
    pub async fn capture_end(&self, id: &CaptureId) -> Result<Option<CaptureEnd>, Error> {
        self.json(&key(id, END)).await
    }

    /// Takes note of how many calls were lost to a capture, by runner. They only ever grow: of two who write at a
    /// time, what one lacks comes with the next.
    ///
    /// # Errors
    /// When the store or the object cannot be read, or the store cannot be written.
    pub async fn note_missed(&self, id: &CaptureId, missed: &BTreeMap<MemberId, u64>) -> Result<(), Error> {
        let mut all = self.capture_missed(id).await?;
        for (runner, count) in missed {
            let known = all.entry(runner.clone()).or_default();
            *known = (*count).max(*known);
        }
        let action = || "note what a capture missed".to_owned();
        self.put_json(&key(id, MISSED), &all, PutMode::Overwrite, action).await.map(drop)
    }

    /// How many calls were lost to a capture, by runner.
    ///
    /// # Errors
    /// When the store or the object cannot be read.
    pub async fn capture_missed(&self, id: &CaptureId) -> Result<BTreeMap<MemberId, u64>, Error> {
        Ok(self.json(&key(id, MISSED)).await?.unwrap_or_default())
    }

    /// Adds calls, one per line, in as many pieces as they came in.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn append_chunk(&self, id: &CaptureId, lines: Vec<Bytes>, entries: u64) -> Result<(), Error> {
        let name = format!("{}.{entries}.{CHUNK}", Uuid::now_v7());
        let put = self.objects.put(&key(id, &name), PutPayload::from_iter(lines)).await;
        put.map(drop).map_err(|source| unavailable("keep captured calls".to_owned(), source))
    }

    /// The chunks of a capture, those written first before the others.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn chunks(&self, id: &CaptureId) -> Result<Vec<Chunk>, Error> {
        let objects = self.list(&format!("{CAPTURES}/{id}")).await?;
        let chunk = |object: &ObjectMeta| Chunk::of(object.location.filename()?, object.size);
        let mut chunks: Vec<_> = objects.iter().filter_map(chunk).collect();
        chunks.sort();
        Ok(chunks)
    }

    /// The calls in a chunk, one per line.
    ///
    /// # Errors
    /// When the store cannot be read, or the capture was deleted meanwhile.
    pub async fn chunk(&self, id: &CaptureId, chunk: &Chunk) -> Result<Bytes, Error> {
        let found = self.get(&key(id, &chunk.name), || "fetch captured calls".to_owned()).await?;
        found.ok_or_else(|| Error::CaptureGone(id.clone()))
    }

    /// Deletes what is left of a capture that nobody knows, if nothing was written to it since `before`: somebody may
    /// be bringing one here.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn delete_abandoned_capture(&self, id: &CaptureId, before: Timestamp) -> Result<(), Error> {
        let objects = self.list(&format!("{CAPTURES}/{id}")).await?;
        match objects.iter().all(|object| is_older(object, before)) {
            // Those alone: one that comes meanwhile is not old.
            true => self.delete_all(id, objects).await.map(drop),
            false => Ok(()),
        }
    }

    /// Deletes a capture and its calls; says whether there was one. What is left when this fails is found again by
    /// [`Store::captures`].
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn delete_capture(&self, id: &CaptureId) -> Result<bool, Error> {
        let objects = self.list(&format!("{CAPTURES}/{id}")).await?;
        self.delete_all(id, objects).await
    }

    async fn delete_all(&self, id: &CaptureId, objects: Vec<ObjectMeta>) -> Result<bool, Error> {
        let action = || "delete a capture".to_owned();
        let keys = objects.into_iter().map(|object| Ok(object.location));
        let mut deleted = self.objects.delete_stream(futures_util::stream::iter(keys).boxed());
        let mut any = false;
        while let Some(outcome) = deleted.next().await {
            match outcome {
                Ok(_) => any = true,
                Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => return Err(unavailable(action(), source)),
            }
        }
        if let Some(directory) = &self.directory {
            // Fails when something came into it meanwhile, which is then found again.
            let _not_empty = std::fs::remove_dir(directory.join(CAPTURES).join(id.as_str()));
        }
        Ok(any)
    }
}

impl Chunk {
    fn of(name: &str, bytes: u64) -> Option<Self> {
        let (stem, kind) = name.rsplit_once('.')?;
        let (_, entries) = stem.rsplit_once('.').filter(|_| kind == CHUNK)?;
        Some(Self { name: name.to_owned(), entries: entries.parse().ok()?, bytes })
    }
}

fn key(id: &CaptureId, name: &str) -> Key {
    Key::from_iter([CAPTURES, id.as_str(), name])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::store;
    use crate::{Namespace, Percent, Role, RouteId};

    fn record() -> CaptureRecord {
        let namespace = Namespace::default();
        let capture = Capture {
            id: CaptureId::generate(),
            route: RouteId::of(&namespace, "*", "/a"),
            namespace,
            sample: Percent::ALL,
            filters: Vec::new(),
            from: Timestamp(1),
            until: Timestamp(2),
            bytes_max: 3,
            delete_at: Timestamp(4),
            secrets: false,
            by: "me".into(),
        };
        CaptureRecord { capture, host: "*".into(), base_path: "/a".into(), imported: false }
    }

    #[tokio::test]
    async fn a_capture_is_kept_with_its_calls_until_it_is_deleted() {
        let (directory, store) = store();
        let (record, other) = (record(), record());
        for record in [&record, &other] {
            store.put_capture(record).await.unwrap();
        }
        let id = &record.capture.id;
        for (lines, entries) in [("a\nb\n", 2), ("c\n", 1)] {
            store.append_chunk(id, vec![Bytes::from_static(lines.as_bytes())], entries).await.unwrap();
        }
        assert_eq!(store.captures().await.unwrap(), [id.clone(), other.capture.id]);
        assert_eq!(store.capture(id).await.unwrap().as_ref(), Some(&record));
        let chunks = store.chunks(id).await.unwrap();
        assert_eq!(
            chunks.iter().map(|chunk| (chunk.entries, chunk.bytes)).collect::<Vec<_>>(),
            [(2, 4), (1, 2)]
        );
        assert_eq!(store.chunk(id, &chunks[0]).await.unwrap(), "a\nb\n");
        assert!(store.delete_capture(id).await.unwrap());
        assert!(!store.delete_capture(id).await.unwrap());
        assert_eq!(store.capture(id).await.unwrap(), None);
        assert!(matches!(store.chunk(id, &chunks[0]).await, Err(Error::CaptureGone(gone)) if gone == *id));
        assert!(!directory.path().join(format!("a/store/captures/{id}")).exists());
    }

    #[tokio::test]
    async fn calls_of_nobody_go_when_they_are_old() {
        let (_directory, store) = store();
        let id = CaptureId::generate();
        store.append_chunk(&id, vec![Bytes::from_static(b"a\n")], 1).await.unwrap();
        let minute = std::time::Duration::from_secs(60);
        store.delete_abandoned_capture(&id, Timestamp::now().before(minute)).await.unwrap();
        assert_eq!(store.chunks(&id).await.unwrap().len(), 1);
        store.delete_abandoned_capture(&id, Timestamp::now().after(minute)).await.unwrap();
        assert_eq!(store.captures().await.unwrap(), []);
    }

    #[tokio::test]
    async fn the_first_reason_why_a_capture_ended_stands() {
        let (_directory, store) = store();
        let id = CaptureId::generate();
        assert_eq!(store.capture_end(&id).await.unwrap(), None);
        let [full, stopped] =
            [EndReason::Full, EndReason::Stopped].map(|reason| CaptureEnd { at: Timestamp(1), reason });
        for end in [full, stopped] {
            store.end_capture(&id, end).await.unwrap();
        }
        assert_eq!(store.capture_end(&id).await.unwrap(), Some(full));
    }

    #[tokio::test]
    async fn what_was_missed_only_grows() {
        let (_directory, store) = store();
        let (id, [a, b]) = (CaptureId::generate(), [(); 2].map(|()| MemberId::generate(Role::Runner)));
        store.note_missed(&id, &BTreeMap::from([(a.clone(), 3)])).await.unwrap();
        store.note_missed(&id, &BTreeMap::from([(a.clone(), 2), (b.clone(), 1)])).await.unwrap();
        assert_eq!(store.capture_missed(&id).await.unwrap(), BTreeMap::from([(a, 3), (b, 1)]));
    }
}
