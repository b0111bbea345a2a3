/* Preloaded into a test's process: locks that fail or are this host's own, and a clock that is off.

   SHIM_FLOCK=fail    flock says ENOLCK, as on a share without locks
   SHIM_FLOCK=alone   flock succeeds and locks nothing that others see, as on NFS with local locks
   SHIM_CLOCK=FILE    the number in FILE is added to the time of day, in seconds; read each time
   SHIM_STEADY=FILE   the same for the clock that counts from the start of the machine */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int flock(int fd, int operation) {
    const char *mode = getenv("SHIM_FLOCK");
    if (mode && !strcmp(mode, "fail")) {
        errno = ENOLCK;
        return -1;
    }
    return mode && !strcmp(mode, "alone") ? 0 : (int)syscall(SYS_flock, fd, operation);
}

static long offset(const char *name) {
    char text[32] = {0};
    const char *path = getenv(name);
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY) : -1;
    if (fd < 0) return 0;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    return got > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (!result && clock == CLOCK_REALTIME) now->tv_sec += offset("SHIM_CLOCK");
    if (!result && clock == CLOCK_BOOTTIME) now->tv_sec += offset("SHIM_STEADY");
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = (int)syscall(SYS_gettimeofday, now, zone);
    if (!result) now->tv_sec += offset("SHIM_CLOCK");
    return result;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
