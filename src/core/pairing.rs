//! The pairing code that an unknown person shows to an admin.
//!
//! A code is never stored: it is derived from a secret that is not in the database and a salt that is. The database
//! keeps the salt and a salted hash, so that a code can be shown again and recognised, while a copy of the database is
//! not enough to get access.

use std::fmt;

use chrono::Duration;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The 32 characters of a code, five bits each. 0, O, 1 and I are left out, because people confuse them.
pub const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The length of a code: 40 bits. With five guesses an hour and a lifetime of an hour, guessing is hopeless.
pub const LENGTH: usize = 8;

/// How long a code is valid.
pub const LIFETIME: Duration = Duration::hours(1);

/// The minimum time between two requests of one person.
pub const BETWEEN_REQUESTS: Duration = Duration::minutes(10);

/// The minimum time between two notices to one person about their request.
pub const BETWEEN_NOTICES: Duration = Duration::hours(1);

/// How long after the code no reminder is sent.
pub const BEFORE_REMINDER: Duration = Duration::minutes(1);

/// The number of failed approvals after which an approver is locked out.
pub const FAILURES: u32 = 5;

/// How long an approver is locked out, even with a right code.
pub const LOCKOUT: Duration = Duration::hours(1);

/// The time after which one failure is forgotten, so that the limit is five an hour.
pub const DECAY: Duration = Duration::minutes(12);

/// Stands for the code in a stored text. The code is filled in when the text is sent.
pub const MASK: &str = "********";

/// The random bits that a code is derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 16]);

/// A code. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Derives the code of a salt.
    pub fn derive(secret: &[u8; 32], salt: Salt) -> Code {
        let digest = Sha256::new()
            .chain_update(b"frontdesk pairing code\0")
            .chain_update(secret)
            .chain_update(salt.0)
            .finalize();
        let sign = |byte: &u8| char::from(ALPHABET[usize::from(byte & 31)]);
        Code(digest.iter().take(LENGTH).map(sign).collect())
    }

    /// Parses what somebody typed: in any case, with spaces or dashes. `None` if it cannot be a code.
    pub fn read(typed: &str) -> Option<Code> {
        let signs: String = typed
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .take(LENGTH + 1)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let fits = signs.len() == LENGTH && signs.bytes().all(|sign| ALPHABET.contains(&sign));
        fits.then_some(Code(signs))
    }

    /// The hash that the database keeps.
    pub fn hash(&self, salt: Salt) -> [u8; 32] {
        Sha256::new().chain_update(salt.0).chain_update(self.0.as_bytes()).finalize().into()
    }

    /// Whether this is the code with that hash. Takes constant time.
    pub fn matches(&self, salt: Salt, hash: &[u8]) -> bool {
        self.hash(salt).ct_eq(hash).into()
    }

    /// The code itself, to be shown to the person it was made for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = Code::derive(&[7; 32], Salt([1; 16]));
        let shown = code.reveal();
        assert_eq!(shown.len(), LENGTH);
        let spaced = format!(" {}-{} ", shown[..4].to_lowercase(), &shown[4..]);
        assert_eq!(Code::read(&spaced), Some(code));
    }

    #[test]
    fn invalid_codes_are_not_parsed() {
        for typed in ["", "ABCD234", "ABCD23456", "ABCD2340", "ABCD234I", "ÄBCD2345", "ABCD\u{2028}234\u{0}"]
        {
            assert_eq!(Code::read(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn a_code_does_not_show_itself_in_a_log() {
        let code = Code::derive(&[7; 32], Salt([1; 16]));
        assert!(!format!("{code:?}").contains(code.reveal()));
    }

    proptest! {
        #[test]
        fn a_code_belongs_to_its_salt_and_its_secret(secret: [u8; 32], salt: [u8; 16], other: [u8; 16]) {
            prop_assume!(salt != other);
            let (salt, other) = (Salt(salt), Salt(other));
            let code = Code::derive(&secret, salt);
            prop_assert!(code.matches(salt, &code.hash(salt)));
            prop_assert!(!code.matches(other, &code.hash(salt)));
            prop_assert!(code != Code::derive(&secret, other));
            prop_assert!(code.reveal().bytes().all(|sign| ALPHABET.contains(&sign)));
        }
    }
}
