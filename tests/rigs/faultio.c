/* Makes the disk fail below a program that was started with this library in LD_PRELOAD.
 *
 * $FAULTIO_FOLDER: only files below this folder are touched.
 * $FAULTIO_RULES:  a file, read at every call, with one rule per line:
 *                  "sync fail ERRNO", "sync delay MILLISECONDS", "write fail ERRNO",
 *                  "write short ERRNO": half of it is written, and the next call fails
 *                  "read fail ERRNO" everywhere, or "read fail ERRNO FIRST LAST INODE" for reads
 *                  that begin between these bytes of this file: bad sectors
 * Build: gcc -shared -fPIC -O2 -Wall -Wextra -o faultio.so faultio.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum effect { NONE, FAIL, SHORT };

static int is_below_folder(int handle)
{
    const char *folder = getenv("FAULTIO_FOLDER");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (!folder || length < 0)
        return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static void pause_for(long milliseconds)
{
    struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    nanosleep(&span, NULL);
}

/* Applies the first rule for this operation; a failure sets errno. */
static enum effect effect_on(int handle, const char *operation, long long offset)
{
    const char *rules = getenv("FAULTIO_RULES");
    FILE *file;
    char line[128], named[16], what[16];
    long number;
    long long first, last;
    unsigned long inode;
    struct stat found;
    enum effect effect = NONE;
    int problem = 0;
    static int was_short;

    if (!rules || !is_below_folder(handle) || !(file = fopen(rules, "re")))
        return NONE;
    while (fgets(line, sizeof line, file)) {
        int words = sscanf(line, "%15s %15s %ld %lld %lld %lu", named, what, &number, &first,
                           &last, &inode);
        if (words < 3 || strcmp(named, operation))
            continue;
        if (words == 6 && (offset < first || offset > last || fstat(handle, &found)
                           || found.st_ino != inode))
            continue;
        if (!strcmp(what, "delay"))
            pause_for(number);
        else {
            was_short = !strcmp(what, "short") && !was_short;
            effect = was_short ? SHORT : FAIL;
            problem = (int)number;
        }
        break;
    }
    fclose(file);
    errno = problem;
    return effect;
}

#define SYNC(name)                                                     \
    int name(int handle)                                               \
    {                                                                  \
        static int (*real)(int);                                       \
        if (!real)                                                     \
            real = (int (*)(int))dlsym(RTLD_NEXT, #name);              \
        return effect_on(handle, "sync", 0) == FAIL ? -1 : real(handle);  \
    }

#define WRITE(name, offset_type)                                                          \
    ssize_t name(int handle, const void *data, size_t size, offset_type offset)           \
    {                                                                                     \
        static ssize_t (*real)(int, const void *, size_t, offset_type);                   \
        if (!real)                                                                        \
            real = (ssize_t(*)(int, const void *, size_t, offset_type))dlsym(RTLD_NEXT, #name); \
        enum effect effect = effect_on(handle, "write", offset);                                  \
        if (effect == FAIL)                                                               \
            return -1;                                                                    \
        return real(handle, data, effect == SHORT && size > 1 ? size / 2 : size, offset); \
    }

#define READ(name, offset_type)                                                            \
    ssize_t name(int handle, void *data, size_t size, offset_type offset)                  \
    {                                                                                      \
        static ssize_t (*real)(int, void *, size_t, offset_type);                          \
        if (!real)                                                                         \
            real = (ssize_t(*)(int, void *, size_t, offset_type))dlsym(RTLD_NEXT, #name);  \
        if (effect_on(handle, "read", offset) == FAIL)                                     \
            return -1;                                                                     \
        return real(handle, data, size, offset);                                           \
    }

SYNC(fsync)
SYNC(fdatasync)
WRITE(pwrite, off_t)
WRITE(pwrite64, off64_t)
ssize_t read(int handle, void *data, size_t size)
{
    static ssize_t (*real)(int, void *, size_t);
    if (!real)
        real = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    return effect_on(handle, "read", lseek(handle, 0, SEEK_CUR)) == FAIL ? -1 : real(handle, data, size);
}

READ(pread, off_t)
READ(pread64, off64_t)
