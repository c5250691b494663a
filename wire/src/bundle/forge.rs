//! Builds archives for tests, honest ones and others.

use std::io::Read;

use flate2::bufread::DeflateEncoder;
use flate2::{Compression, Crc};

/// One file of an archive, every field of which can be made to lie.
#[derive(Clone)]
pub(super) struct File {
    pub(super) name: Vec<u8>,
    pub(super) local_name: Vec<u8>,
    pub(super) packed: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) local_method: u16,
    /// CRC, packed length and length.
    pub(super) sums: [u32; 3],
    pub(super) local_sums: [u32; 3],
    pub(super) extra: Vec<u8>,
    pub(super) local_extra: Vec<u8>,
    pub(super) descriptor: Vec<u8>,
    pub(super) attributes: u32,
    pub(super) offset: Option<u32>,
}

pub(super) fn file(name: impl AsRef<[u8]>, content: &[u8]) -> File {
    let mut packed = Vec::new();
    DeflateEncoder::new(content, Compression::best()).read_to_end(&mut packed).unwrap();
    let mut crc = Crc::new();
    crc.update(content);
    let sums = [crc.sum(), packed.len() as u32, content.len() as u32];
    let name = name.as_ref().to_vec();
    File {
        local_name: name.clone(),
        name,
        packed,
        flags: 0,
        method: 8,
        local_method: 8,
        sums,
        local_sums: sums,
        extra: Vec::new(),
        local_extra: Vec::new(),
        descriptor: Vec::new(),
        attributes: 0,
        offset: None,
    }
}

pub(super) fn le16(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(super) fn le32(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(super) fn body(files: &[File]) -> (Vec<u8>, Vec<u8>) {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for file in files {
        let offset = file.offset.unwrap_or(body.len() as u32);
        let lens = [file.local_name.len() as u16, file.local_extra.len() as u16];
        body.extend(b"PK\x03\x04");
        body.extend(le16(&[20, file.flags, file.local_method, 0, 33]));
        body.extend(le32(&file.local_sums));
        body.extend(le16(&lens));
        for part in [&file.local_name, &file.local_extra, &file.packed, &file.descriptor] {
            body.extend(part);
        }
        directory.extend(b"PK\x01\x02");
        directory.extend(le16(&[20 | 3 << 8, 20, file.flags, file.method, 0, 33]));
        directory.extend(le32(&file.sums));
        directory.extend(le16(&[file.name.len() as u16, file.extra.len() as u16, 0, 0, 0]));
        directory.extend(le32(&[file.attributes, offset]));
        directory.extend(&file.name);
        directory.extend(&file.extra);
    }
    (body, directory)
}

pub(super) fn end(count: u16, directory_len: usize, directory_offset: usize) -> Vec<u8> {
    let mut end = b"PK\x05\x06".to_vec();
    end.extend(le16(&[0, 0, count, count]));
    end.extend(le32(&[directory_len as u32, directory_offset as u32]));
    end.extend(le16(&[0]));
    end
}

pub(super) fn zip(files: &[File]) -> Vec<u8> {
    let (body, directory) = body(files);
    let end = end(files.len() as u16, directory.len(), body.len());
    [body, directory, end].concat()
}

pub(super) fn honest() -> [File; 2] {
    [file("funcatron.yaml", b"openapi: 3.0.0"), file("index.js", b"export default 1")]
}

/// An honest bundle with one more file.
pub(super) fn with(extra: File) -> Vec<u8> {
    let [document, code] = honest();
    zip(&[document, code, extra])
}

/// An honest bundle with its code changed.
pub(super) fn with_code(change: impl FnOnce(&mut File)) -> Vec<u8> {
    let [document, mut code] = honest();
    change(&mut code);
    zip(&[document, code])
}
