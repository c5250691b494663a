//! `Dice`: random bytes that follow from a seed, the same ones for ever.

use std::convert::Infallible;

use rand_core::TryRng;
use sha2::{Digest, Sha256};
use wasmtime_wasi::Rng;

use super::Tape;

/// What one hash gives.
const BLOCK_BYTES: usize = 32;

/// Random bytes that follow from a seed. They are hashes of it and a count: unlike the generators of libraries, which
/// change when those do, a seed that was recorded years ago still gives the same.
pub(super) struct Dice {
    tape: Tape,
    stream: Keystream,
}

struct Keystream {
    /// What is hashed with each count.
    key: Sha256,
    count: u64,
    block: [u8; BLOCK_BYTES],
    used: usize,
}

/// A seed that nobody can guess: 64 hexadecimal digits.
pub(super) fn seed() -> String {
    let mut bytes = [0; BLOCK_BYTES];
    wasmtime_wasi::thread_rng().fill_bytes(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a guest is told that wants to seed its own generator of numbers that need no secrecy.
pub(super) fn insecure_seed(seed: &str) -> u128 {
    let mut bytes = [0; 16];
    Keystream::new(seed, "insecure-seed").fill(&mut bytes);
    u128::from_le_bytes(bytes)
}

impl Dice {
    pub(super) fn secure(seed: &str, tape: Tape) -> Self {
        Self { tape, stream: Keystream::new(seed, "secure") }
    }

    pub(super) fn insecure(seed: &str, tape: Tape) -> Self {
        Self { tape, stream: Keystream::new(seed, "insecure") }
    }

    fn roll<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.fill(&mut bytes);
        bytes
    }
}

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        // From each of these, wasmtime makes one byte.
        self.tape.note_random(1);
        Ok(u32::from_le_bytes(self.roll()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.tape.note_random(8);
        Ok(u64::from_le_bytes(self.roll()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.tape.note_random(bytes.len() as u64);
        self.stream.fill(bytes);
        Ok(())
    }
}

impl Keystream {
    /// Seeds are taken as they are, whatever is in them: a replay with an odd one is as good as any.
    fn new(seed: &str, purpose: &str) -> Self {
        let key = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(seed).chain_update([0]);
        Self { key, count: 0, block: [0; BLOCK_BYTES], used: BLOCK_BYTES }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == BLOCK_BYTES {
                self.block = self.key.clone().chain_update(self.count.to_le_bytes()).finalize().into();
                (self.count, self.used) = (self.count + 1, 0);
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(seed: &str, purpose: &str) -> [u8; 40] {
        let mut bytes = [0; 40];
        Keystream::new(seed, purpose).fill(&mut bytes);
        bytes
    }

    #[test]
    fn a_seed_gives_the_same_bytes_for_ever() {
        let known = [0x52, 0x7a, 0xfb, 0xa4];
        assert_eq!(bytes("00", "secure")[..4], known);
        assert_eq!(bytes("00", "secure"), bytes("00", "secure"));
        assert_ne!(bytes("00", "secure"), bytes("00", "insecure"));
        assert_ne!(bytes("00", "secure"), bytes("01", "secure"));
        let seeds = [seed(), seed()];
        assert!(seeds[0] != seeds[1] && seeds.iter().all(|seed| seed.len() == 64));
    }
}
