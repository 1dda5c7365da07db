//! The OpenAI-compatible front: the prompt in a request, and the objects of its responses.

pub(crate) mod destination;
pub(crate) mod error;
pub(crate) mod finish;
mod growing_text;
pub(crate) mod image;
mod message;
pub(crate) mod object;
pub(crate) mod request;
pub(crate) mod stream;
mod tools;
