//! Archives that are built to be read in two ways, or to cost more than they weigh.

use std::io::{Cursor, Read, Write};
use std::slice::from_ref;

use proptest::prelude::*;

use super::forge::{File, body, end, file, honest, le16, le32, with, with_code, zip};
use super::*;

#[track_caller]
fn refused(zip: &[u8], because: &str) {
    match Bundle::open(zip) {
        Ok(_) => panic!("it opens, though {because}"),
        Err(error) => assert!(error.to_string().contains(because), "{error} does not say {because:?}"),
    }
}

#[test]
fn honest_archives_open() {
    for extra in [file("assets/", b""), file("assets/ü.txt", b"x"), file("META-INF/MANIFEST.MF", b"")] {
        Bundle::open(&with(extra)).unwrap();
    }
    let stored = with_code(|code| {
        code.packed = b"export default 1".to_vec();
        (code.method, code.local_method) = (0, 0);
        code.sums[1] = 16;
        code.local_sums = code.sums;
    });
    assert_eq!(Bundle::open(&stored).unwrap().code, Code::JavaScript("export default 1".into()));
}

#[test]
fn data_descriptors_are_read_with_and_without_their_signature() {
    for signature in [&b""[..], b"PK\x07\x08"] {
        let zip = with_code(|code| {
            code.flags = 8;
            code.local_sums = [0; 3];
            code.descriptor = [signature, &le32(&code.sums)].concat();
        });
        Bundle::open(&zip).unwrap();
    }
}

#[test]
fn each_part_has_to_be_there_once() {
    let [document, code] = honest();
    let only = |files: &[File]| Bundle::open(&zip(files)).unwrap_err();
    assert!(matches!(only(&[]), Error::Missing(_)));
    assert!(matches!(only(from_ref(&document)), Error::Missing(_)));
    assert!(matches!(only(from_ref(&code)), Error::Missing(_)));
    let json = file("funcatron.json", b"{}");
    assert!(matches!(only(&[document.clone(), json, code.clone()]), Error::Ambiguous(..)));
    assert!(matches!(only(&[document, code, file("func.wasm", b"")]), Error::Ambiguous(..)));
}

#[test]
fn a_part_below_the_root_is_none() {
    let [document, _] = honest();
    let zip = zip(&[document, file("src/index.js", b"1")]);
    assert!(matches!(Bundle::open(&zip), Err(Error::Missing(_))));
}

#[test]
fn what_is_not_a_zip_file_is_told() {
    for bytes in [&b""[..], b"PK", b"PK\x05\x06", b"openapi: 3.0.0", &[0; 100]] {
        assert!(matches!(Bundle::open(bytes), Err(Error::NotZip(_))), "{bytes:?}");
    }
}

#[test]
fn a_bundle_over_the_limit_is_not_looked_at() {
    let too_large = vec![0; BUNDLE_BYTES_MAX + 1];
    assert!(matches!(Bundle::open(&too_large), Err(Error::TooLarge { .. })));
}

#[test]
fn names_that_leave_the_directory_are_refused() {
    for name in ["/etc/passwd", "../x", "a/../../x", "a//b", "./x", ".", "", "/", "a/./b", "a/.."] {
        refused(&with(file(name, b"x")), "is not a plain relative path");
    }
    for name in ["..\\x", "a\\b", "a\0.js", "a\nb", "\u{85}"] {
        refused(&with(file(name, b"x")), "has a backslash or a control character");
    }
    refused(&with(file("C:/x", b"x")), "has a drive");
    refused(&with(file("C:x", b"x")), "has a drive");
    refused(&with(file(b"\xff", b"x")), "is not UTF-8");
}

#[test]
fn names_that_some_file_system_takes_for_one_are_refused() {
    for name in ["index.js", "INDEX.JS", "Index.js", "index.js/", "funcatron.yamL", "a\u{212a}"] {
        let [document, code] = honest();
        let files = [document, code, file("ak", b"x"), file(name, b"")];
        refused(&zip(&files), "twice");
    }
}

#[test]
fn a_second_name_in_an_extra_field_is_refused() {
    let extra = [le16(&[0x7075, 9]), b"\x01\0\0\0\0evil".to_vec()].concat();
    refused(&with_code(|code| code.extra = extra.clone()), "has a second name");
    refused(&with_code(|code| code.local_extra = extra.clone()), "has a second name");
    refused(&with_code(|code| code.extra = le16(&[1, 99])), "ends too early");
}

#[test]
fn links_and_devices_are_refused() {
    for file_type in [0o12_0000, 0o02_0000, 0o06_0000, 0o01_0000, 0o14_0000] {
        let link = File { attributes: (file_type | 0o777) << 16, ..file("assets/link", b"/etc/passwd") };
        refused(&with(link), "is a link or a device");
    }
    let plain = File { attributes: 0o10_0644 << 16, ..file("assets/plain", b"x") };
    Bundle::open(&with(plain)).unwrap();
}

#[test]
fn what_cannot_be_read_is_refused() {
    for flags in [1, 1 << 5, 1 << 6, 1 << 13] {
        refused(&with_code(|code| code.flags = flags), "is encrypted or has unknown flags");
    }
    refused(&with_code(|code| code.method = 99), "has a compression method");
    refused(&with(file("directory/", b"content")), "is a directory with content");
    for field in [1, 2] {
        refused(&with_code(|code| code.sums[field] = u32::MAX), "needs ZIP64");
    }
    refused(&with_code(|code| code.offset = Some(u32::MAX)), "needs ZIP64");
}

#[test]
fn headers_that_disagree_are_refused() {
    let disagree = "has headers that disagree";
    refused(&with_code(|code| code.local_name = b"other.js".to_vec()), disagree);
    refused(&with_code(|code| code.local_method = 0), disagree);
    for field in 0..3 {
        refused(&with_code(|code| code.local_sums[field] ^= 1), disagree);
    }
    refused(&with_code(|code| code.local_sums = [0; 3]), disagree);
    let lying_descriptor = with_code(|code| {
        code.flags = 8;
        code.descriptor = le32(&[1, 2, 3]);
    });
    refused(&lying_descriptor, disagree);
}

#[test]
fn overlapping_files_are_refused() {
    let [document, code] = honest();
    let twin = File { offset: Some(0), ..document.clone() };
    refused(&zip(&[document.clone(), twin]), "twice");
    let twin = File { name: b"assets/twin".to_vec(), offset: Some(0), ..document.clone() };
    refused(&zip(&[document.clone(), code.clone(), twin]), "overlaps");
    // A file whose data is another file, header and all.
    let (inner, _) = body(from_ref(&code));
    let outer = File { packed: inner.clone(), ..file("assets/outer", b"") };
    let len = inner.len() as u32;
    let outer = File { method: 0, local_method: 0, sums: [0, len, len], local_sums: [0, len, len], ..outer };
    let at = body(from_ref(&document)).0.len() + 30 + outer.name.len();
    let (mut bytes, _) = body(&[document.clone(), outer.clone()]);
    let (_, directory) = body(&[document, outer, File { offset: Some(at as u32), ..code }]);
    let end = end(3, directory.len(), bytes.len());
    bytes.extend([directory, end].concat());
    refused(&bytes, "overlaps");
}

#[test]
fn hidden_data_is_refused() {
    let [document, code] = honest();
    let files = [document.clone(), file("hidden.js", b"1"), code.clone()];
    let (bytes, _) = body(&files);
    let code_at = body(&files[..2]).0.len() as u32;
    let (_, directory) = body(&[document, File { offset: Some(code_at), ..code }]);
    let unlisted = [bytes.clone(), directory.clone(), end(2, directory.len(), bytes.len())].concat();
    refused(&unlisted, "follows hidden data");

    let (bytes, directory) = body(&honest());
    let gap = [bytes.clone(), b"hidden".to_vec()].concat();
    let zip = [gap.clone(), directory.clone(), end(2, directory.len(), gap.len())].concat();
    refused(&zip, "hidden data before its directory");
}

#[test]
fn a_second_directory_is_refused() {
    let (one, two) = (zip(&honest()), zip(&honest()));
    refused(&[one.clone(), two].concat(), "data before its beginning");
    refused(&[one.clone(), b"trailing".to_vec()].concat(), "data after its end");
    refused(&[one.clone(), b"PK\x05\x06".to_vec()].concat(), "no end record");

    let (bytes, directory) = body(&honest());
    let doubled = [directory.clone(), directory].concat();
    refused(
        &[bytes.clone(), doubled.clone(), end(2, doubled.len(), bytes.len())].concat(),
        "more than it says",
    );
    refused(&[bytes.clone(), doubled.clone(), end(2, doubled.len() / 2, bytes.len())].concat(), "before its");
}

#[test]
fn a_second_end_record_in_the_comment_is_refused() {
    let mut bytes = zip(&honest());
    let comment = end(0, 0, bytes.len() + 22);
    let at = bytes.len() - 2;
    bytes[at..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    bytes.extend(comment);
    assert!(Bundle::open(&bytes).is_err());
}

#[test]
fn zip64_records_are_refused() {
    let (bytes, directory) = body(&honest());
    let locator = [b"PK\x06\x07".to_vec(), vec![0; 16]].concat();
    let tail = [directory.clone(), locator].concat();
    assert!(Bundle::open(&[bytes.clone(), tail, end(2, directory.len(), bytes.len())].concat()).is_err());
    let escape = end(u16::MAX, u32::MAX as usize, u32::MAX as usize);
    assert!(Bundle::open(&[bytes, directory, escape].concat()).is_err());
}

#[test]
fn a_script_may_stand_before_the_archive() {
    let lead = b"#!/usr/bin/env python3\n".to_vec();
    let appended = [lead.clone(), zip(&honest())].concat();
    Bundle::open(&appended).unwrap();

    let mut files = honest();
    let (bytes, _) = body(&files);
    let second_at = (body(&files[..1]).0.len() + lead.len()) as u32;
    files[0].offset = Some(lead.len() as u32);
    files[1].offset = Some(second_at);
    let (_, directory) = body(&files);
    let bytes = [lead, bytes].concat();
    let counted = [bytes.clone(), directory.clone(), end(2, directory.len(), bytes.len())].concat();
    Bundle::open(&counted).unwrap();
}

#[test]
fn anything_else_before_the_archive_is_refused() {
    for lead in [
        &b"MZ\n"[..],
        b"#!no line break",
        b"#!sh\nPK\x03\x04\n",
        &[b"#!", &[b'a'; 70_000][..], b"\n"].concat(),
    ] {
        refused(&[lead, &zip(&honest())].concat(), "data before its beginning");
    }
}

#[test]
fn bombs_are_refused_unlit() {
    let zeros = vec![0; 10 << 20];
    refused(&with(file("assets/zeros", &zeros)), "compressed beyond belief");
    refused(&with_code(|code| *code = file("func.wasm", &zeros)), "compressed beyond belief");
    let claims = |len: u32| File { sums: [0, len / 100, len], ..file("assets/claims", b"") };
    assert!(matches!(Bundle::open(&with(claims(300 << 20))), Err(Error::TooLarge { .. })));
}

#[test]
fn a_part_over_its_limit_is_refused_before_it_is_inflated() {
    let js: Vec<u8> = (0..JS_BYTES_MAX as u32 / 4 + 1).flat_map(u32::to_le_bytes).collect();
    let zip = with_code(|code| *code = file("index.js", &js));
    assert_eq!(
        Bundle::open(&zip).unwrap_err(),
        Error::TooLarge { what: "index.js".into(), max: JS_BYTES_MAX }
    );
}

#[test]
fn a_size_that_lies_is_found_out() {
    for len in [15, 17] {
        let zip = with_code(|code| {
            code.sums[2] = len;
            code.local_sums = code.sums;
        });
        assert!(Bundle::open(&zip).is_err(), "{len}");
    }
    let padded = with_code(|code| {
        code.packed.push(0);
        code.sums[1] += 1;
        code.local_sums = code.sums;
    });
    refused(&padded, "does not have the size it says");
}

#[test]
fn a_wrong_checksum_is_found_out() {
    let zip = with_code(|code| {
        code.sums[0] ^= 1;
        code.local_sums = code.sums;
    });
    refused(&zip, "wrong checksum");
}

#[test]
fn more_files_than_the_limit_are_refused() {
    let many: Vec<_> = (0..=ENTRIES_MAX).map(|number| file(number.to_string(), b"")).collect();
    refused(&zip(&many), "more than 10000 files");
    let [document, code] = honest();
    let most: Vec<_> = (2..ENTRIES_MAX).map(|number| file(number.to_string(), b"")).collect();
    Bundle::open(&zip(&[vec![document, code], most].concat())).unwrap();
}

#[test]
fn an_independent_reader_sees_what_was_packed() {
    let js = Code::JavaScript(Bytes::from("export default 1"));
    let packed = Bundle::pack(b"openapi: 3.0.0 and so on and so on", &js).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
    archive.validate_header_consistency().unwrap();
    assert_eq!(archive.len(), 2);
    let mut text = String::new();
    archive.by_name("funcatron.yaml").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "openapi: 3.0.0 and so on and so on");
}

#[test]
fn what_an_independent_writer_makes_opens() {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [("funcatron.yml", "openapi: 3.0.0"), ("index.js", "export default 1")] {
        writer.start_file(name, options).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    let zip = writer.finish().unwrap().into_inner();
    assert_eq!(Bundle::open(&zip).unwrap().document, "openapi: 3.0.0");
}

proptest! {
    #[test]
    fn a_flipped_bit_changes_nothing_or_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut bytes = zip(&honest());
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        if let Ok(bundle) = Bundle::open(&bytes) {
            prop_assert_eq!(bundle.document, "openapi: 3.0.0");
            prop_assert_eq!(bundle.code, Code::JavaScript("export default 1".into()));
        }
    }

    #[test]
    fn arbitrary_tails_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let zip = [bytes.clone(), end(1, bytes.len() / 2, bytes.len() / 2)].concat();
        let _ = Bundle::open(&zip);
    }
}
