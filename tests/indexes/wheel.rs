//! The smallest package that Python's tools take for one: a wheel, which is a zip archive.

use sha2::{Digest as _, Sha256};

/// A file of a release.
pub struct Wheel {
    pub version: &'static str,
    pub filename: String,
    pub bytes: Vec<u8>,
}

impl Wheel {
    /// A wheel of the project `demo-pkg`.
    pub fn new(version: &'static str) -> Self {
        let info = format!("demo_pkg-{version}.dist-info");
        let metadata = format!("Metadata-Version: 2.1\nName: demo-pkg\nVersion: {version}\n");
        let wheel = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        let bytes = zip(&[
            ("demo_pkg.py", b"VALUE = 1\n"),
            (&format!("{info}/METADATA"), metadata.as_bytes()),
            (&format!("{info}/WHEEL"), wheel.as_bytes()),
            (&format!("{info}/RECORD"), b""),
        ]);
        Self { version, filename: format!("demo_pkg-{version}-py3-none-any.whl"), bytes }
    }

    /// As a requirement pins it: `sha256:` and the digits.
    pub fn hash(&self) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(&self.bytes)))
    }
}

/// A zip archive of files that are stored as they are.
///
/// Source: PKWARE's APPNOTE, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    /// The first of January 1980, midnight, as DOS counts.
    const TIME_AND_DATE: [u8; 4] = [0, 0, 0x21, 0];
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let offset = (archive.len() as u32).to_le_bytes();
        let size = (content.len() as u32).to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0];
        common.extend(TIME_AND_DATE);
        common.extend(crc32(content).to_le_bytes());
        common.extend([size, size].concat());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        archive.extend(b"PK\x03\x04");
        archive.extend(&common);
        archive.extend(name.as_bytes());
        archive.extend(*content);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset);
        directory.extend(name.as_bytes());
    }
    let (start, size) = (archive.len() as u32, directory.len() as u32);
    let count = (files.len() as u16).to_le_bytes();
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([count, count].concat());
    archive.extend(size.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0, 0]);
    archive
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
