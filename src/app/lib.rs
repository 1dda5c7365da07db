//! Frontdesk.
