/* Preloaded into a process (LD_PRELOAD): writes down, or lets fail, what it does to the files of one
 * folder. Only files right in that folder are watched, and the folder itself (its sync makes names
 * last). Standard output is written down too, so that acknowledgements stand in order with the
 * writes and syncs before them. Each call is written down after it has succeeded.
 *
 * A record of the trace is a struct record, then the name, then the data.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 1024
#define NAME 128
#define SELF "."

enum calls { READS = 1, WRITES = 2, SYNCS = 4, TRUNCATES = 8, OPENS = 16, UNLINKS = 32 };

struct record {
    int32_t kind;
    int32_t process;
    int32_t file;
    int32_t name;
    uint64_t offset;
    uint64_t length;
};

static char folder[4096];
static char names[FILES][NAME];
static int trace = -1;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* ------------------------------------------------------------ what is to fail */
static int failing, failure, lasting, halving;
static long failing_at, seen, fired;
static char only[NAME];

void faults_arm(int calls, long nth, int error, int and_later, int halved, const char *name) {
    strncpy(only, name, sizeof only - 1);
    failing = calls;
    failing_at = nth;
    failure = error;
    lasting = and_later;
    halving = halved;
    seen = fired = 0;
}

void faults_stop(void) { failing = 0; }
long faults_seen(void) { return seen; }
long faults_fired(void) { return fired; }

void faults_watch(const char *path) {
    strncpy(folder, path, sizeof folder - 1);
    memset(names, 0, sizeof names);
}

static const char *name_of(int file) {
    return file >= 0 && file < FILES && names[file][0] ? names[file] : NULL;
}

/* The name of a path in the folder, or NULL. */
static const char *watched(const char *path) {
    size_t length = strlen(folder);
    if (!length || !path || strncmp(path, folder, length)) return NULL;
    if (!path[length]) return SELF;
    if (path[length] != '/') return NULL;
    const char *name = path + length + 1;
    return *name && !strchr(name, '/') && strlen(name) < NAME ? name : NULL;
}

static int counts(int call, const char *name) {
    return (failing & call) && name && (!*only || !strcmp(name, only));
}

/* Whether this call is to fail; errno is set. (A write that fails with no error is one that a lying
 * disk says it has done.) */
static int fails(int call, const char *name) {
    if (!counts(call, name)) return 0;
    seen++;
    if (seen != failing_at && !(lasting && seen > failing_at)) return 0;
    fired++;
    errno = failure;
    return 1;
}

/* ------------------------------------------------------------ the trace */
static void note(char kind, int file, const char *name, uint64_t offset, const void *data,
                 uint64_t length, int with_data) {
    if (trace < 0) return;
    int before = errno;
    struct record record = {kind, (int32_t)syscall(SYS_getpid), file, (int32_t)strlen(name), offset,
                            length};
    struct iovec parts[3] = {{&record, sizeof record},
                             {(void *)name, (size_t)record.name},
                             {(void *)data, with_data ? (size_t)length : 0}};
    size_t wanted = parts[0].iov_len + parts[1].iov_len + parts[2].iov_len;
    pthread_mutex_lock(&one_at_a_time);
    if (syscall(SYS_writev, trace, parts, 3) != (long)wanted) abort();
    pthread_mutex_unlock(&one_at_a_time);
    errno = before;
}

static void opened(int file, const char *name, int flags) {
    if (file < 0 || !name) return;
    if (file >= FILES) abort();
    strcpy(names[file], name);
    note('O', file, name, (uint64_t)flags, NULL, 0, 0);
    if (flags & O_TRUNC) note('T', file, name, 0, NULL, 0, 0);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS_FOLDER");
    if (path) faults_watch(path);
    path = getenv("FAULTS_TRACE");
    if (!path) return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file < 0) abort();
    trace = (int)syscall(SYS_fcntl, file, F_DUPFD_CLOEXEC, FILES / 2);
    syscall(SYS_close, file);
    if (trace < 0) abort();
}

/* ------------------------------------------------------------ the calls */
#define NEXT(result, name, ...)                               \
    static result (*real)(__VA_ARGS__);                       \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, name);      \
    if (!real) abort()

#define MODE(flags)                                           \
    mode_t mode = 0;                                          \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                  \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode = va_arg(rest, mode_t);                          \
        va_end(rest);                                         \
    }

#define OPEN(function)                                        \
    int function(const char *path, int flags, ...) {          \
        NEXT(int, #function, const char *, int, ...);         \
        MODE(flags)                                           \
        const char *name = watched(path);                     \
        if (fails(OPENS, name)) return -1;                    \
        int file = real(path, flags, mode);                   \
        opened(file, name, flags);                            \
        return file;                                          \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(function)                                      \
    int function(int at, const char *path, int flags, ...) {  \
        NEXT(int, #function, int, const char *, int, ...);    \
        MODE(flags)                                           \
        const char *name = watched(path);                     \
        if (fails(OPENS, name)) return -1;                    \
        int file = real(at, path, flags, mode);               \
        opened(file, name, flags);                            \
        return file;                                          \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int file) {
    NEXT(int, "close", int);
    if (file == trace && trace >= 0) return 0;
    const char *name = name_of(file);
    if (name) {
        note('C', file, name, 0, NULL, 0, 0);
        names[file][0] = 0;
    }
    return real(file);
}

/* How much of a write is let through: half of the one that is to fail, and then the rest fails. */
static size_t let_through(const char *name, size_t length) {
    if (!halving || !counts(WRITES, name) || seen + 1 != failing_at || length < 2) return length;
    halving = 0;
    failing_at++;
    seen++;
    return length / 2;
}

#define PWRITE(function, where)                                                        \
    ssize_t function(int file, const void *data, size_t length, where offset) {        \
        NEXT(ssize_t, #function, int, const void *, size_t, where);                    \
        const char *name = name_of(file);                                              \
        size_t most = let_through(name, length);                                       \
        if (most == length && fails(WRITES, name)) return failure ? -1 : (ssize_t)length; \
        ssize_t done = real(file, data, most, offset);                                 \
        if (done > 0 && name) note('W', file, name, (uint64_t)offset, data, (uint64_t)done, 1); \
        return done;                                                                   \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int file, const void *data, size_t length) {
    NEXT(ssize_t, "write", int, const void *, size_t);
    const char *name = name_of(file);
    if (fails(WRITES, name)) return -1;
    ssize_t done = real(file, data, length);
    if (done <= 0) return done;
    if (name) {
        uint64_t end = (uint64_t)syscall(SYS_lseek, file, 0, SEEK_CUR);
        note('W', file, name, end - (uint64_t)done, data, (uint64_t)done, 1);
    } else if (file == STDOUT_FILENO) {
        note('A', file, "", 0, data, (uint64_t)done, 1);
    }
    return done;
}

#define PREAD(function, where)                                                         \
    ssize_t function(int file, void *data, size_t length, where offset) {              \
        NEXT(ssize_t, #function, int, void *, size_t, where);                          \
        if (fails(READS, name_of(file))) return -1;                                    \
        return real(file, data, length, offset);                                       \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

#define TRUNCATE(function, where)                                                      \
    int function(int file, where length) {                                             \
        NEXT(int, #function, int, where);                                              \
        const char *name = name_of(file);                                              \
        if (fails(TRUNCATES, name)) return -1;                                         \
        int done = real(file, length);                                                 \
        if (!done && name) note('T', file, name, 0, NULL, (uint64_t)length, 0);        \
        return done;                                                                   \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(function)                                                                 \
    int function(int file) {                                                           \
        NEXT(int, #function, int);                                                     \
        const char *name = name_of(file);                                              \
        if (fails(SYNCS, name)) return -1;                                             \
        int done = real(file);                                                         \
        if (!done && name) note('S', file, name, 0, NULL, 0, 0);                       \
        return done;                                                                   \
    }
SYNC(fsync)
SYNC(fdatasync)

int unlink(const char *path) {
    NEXT(int, "unlink", const char *);
    const char *name = watched(path);
    if (fails(UNLINKS, name)) return -1;
    int done = real(path);
    if (!done && name) note('U', -1, name, 0, NULL, 0, 0);
    return done;
}

int rename(const char *from, const char *to) {
    NEXT(int, "rename", const char *, const char *);
    const char *before = watched(from), *after = watched(to);
    int done = real(from, to);
    if (!done && before && after) note('R', -1, before, 0, after, strlen(after), 1);
    else if (!done && (before || after)) abort(); /* in or out of the folder: not foreseen */
    return done;
}
