//! The test platform shows text as it is.

use frontdesk_core::markup::{Dialect, Writing};

/// How text is written on the test platform.
pub static DIALECT: Dialect = Dialect { name: "lab", writing: Writing::AsWritten };
