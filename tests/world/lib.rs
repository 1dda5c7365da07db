//! frontdesk-world
