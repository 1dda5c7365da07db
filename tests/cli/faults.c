/* Loaded into the gateway by storage.rs with LD_PRELOAD: a disk whose fsync fails, and a kill before the n-th change
 * of a file of the home. Nothing else is changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int changes;
static int failed;

/* The path of an open file, if it is one of the home. */
static const char *ours(int fd, char *path, size_t size) {
  char link[64];
  const char *home = getenv("FAULT_HOME");
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0 || !home) return NULL;
  path[length] = 0;
  return strncmp(path, home, strlen(home)) == 0 ? path : NULL;
}

/* Notes what is done to a file after the first failure. */
static void note(const char *call, const char *path) {
  const char *log = getenv("FAULT_LOG");
  if (!log) return;
  int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd >= 0) {
    dprintf(fd, "%s %s\n", call, path);
    close(fd);
  }
}

/* One change of a file of the home is about to be made. */
static void change(const char *call, const char *path) {
  const char *home = getenv("FAULT_HOME"), *at = getenv("FAULT_KILL_AT");
  if (!path || !home || strncmp(path, home, strlen(home)) != 0) return;
  if (failed) note(call, path);
  if (at && __atomic_add_fetch(&changes, 1, __ATOMIC_SEQ_CST) == atoi(at)) kill(getpid(), SIGKILL);
}

static int sync_fails(const char *path) {
  const char *trigger = getenv("FAULT_TRIGGER");
  size_t length = path ? strlen(path) : 0;
  if (!trigger || length < 4 || strcmp(path + length - 4, "-wal") != 0 || access(trigger, F_OK) != 0) return 0;
  /* Once: what is synced again would seem to succeed, as on a real disk. */
  if (__atomic_exchange_n(&failed, 1, __ATOMIC_SEQ_CST)) return 0;
  note("failed", path);
  return 1;
}

#define SYNC(name)                                                   \
  int name(int fd) {                                                 \
    char path[4096];                                                 \
    const char *file = ours(fd, path, sizeof path);                  \
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, #name);        \
    change(#name, file);                                             \
    if (sync_fails(file)) {                                          \
      errno = EIO;                                                   \
      return -1;                                                     \
    }                                                                \
    return real(fd);                                                 \
  }
SYNC(fsync)
SYNC(fdatasync)

#define WRITE(name, offset)                                                                                \
  ssize_t name(int fd, const void *data, size_t size, offset at) {                                         \
    char path[4096];                                                                                       \
    ssize_t (*real)(int, const void *, size_t, offset) =                                                   \
        (ssize_t (*)(int, const void *, size_t, offset))dlsym(RTLD_NEXT, #name);                           \
    change(#name, ours(fd, path, sizeof path));                                                            \
    return real(fd, data, size, at);                                                                       \
  }
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)

#define CUT(name, offset)                                                                   \
  int name(int fd, offset size) {                                                           \
    char path[4096];                                                                        \
    int (*real)(int, offset) = (int (*)(int, offset))dlsym(RTLD_NEXT, #name);               \
    change(#name, ours(fd, path, sizeof path));                                             \
    return real(fd, size);                                                                  \
  }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
  char path[4096];
  ssize_t (*real)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  if (fd > 2) change("write", ours(fd, path, sizeof path));
  return real(fd, data, size);
}

int unlink(const char *path) {
  int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
  change("unlink", path);
  return real(path);
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
  change("rename", from);
  return real(from, to);
}
