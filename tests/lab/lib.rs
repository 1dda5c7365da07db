//! frontdesk-lab
