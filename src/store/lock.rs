//! One process per database: the lock file, which also says where that process listens.
