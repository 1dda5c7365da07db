//! frontdesk-kit
