/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "actions/endpoint-slot.h"

#include "base/error.h"
#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A slot's file is there while the slot is taken, and after that only if its owner left notes. Its owner
 * unlinks it while it holds the lock; so who has just locked it looks whether what it locked still is the
 * file of that name, and begins again where it is not.
 */

#define DIRECTORY "/run/vnat-probe"
#define NOTES_BYTES ((gsize)64 * 1024)

struct EndpointSlot {
    guint number;
    char *path;
    int fd;         /* locked */
    char *left;     /* of a dead owner; NULL */
    gboolean noted; /* there are notes in the file */
};

typedef enum { LOCK_GOT, LOCK_TAKEN, LOCK_MISSING, LOCK_FAILED } Lock;

static char *slot_path(const char *directory, guint number)
{
    return g_strdup_printf("%s/vnatp%u", directory ? directory : DIRECTORY, number);
}

static gboolean is_the_file(int fd, const char *path)
{
    struct stat ours, named;

    return fstat(fd, &ours) == 0 && lstat(path, &named) == 0 && ours.st_ino == named.st_ino &&
           ours.st_dev == named.st_dev;
}

/* One try. LOCK_FAILED leaves errno. */
static Lock lock_file(const char *path, int flags, int *fd)
{
    const int opened = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);

    if (opened < 0)
        return errno == ENOENT ? LOCK_MISSING : LOCK_FAILED;
    if (flock(opened, LOCK_EX | LOCK_NB) == 0) {
        *fd = opened;
        return LOCK_GOT;
    }
    close(opened);
    return errno == EWOULDBLOCK ? LOCK_TAKEN : LOCK_FAILED;
}

static Lock lock_slot(const char *path, int flags, int *fd)
{
    for (;;) {
        Lock lock = lock_file(path, flags, fd);

        if (lock != LOCK_GOT || is_the_file(*fd, path))
            return lock;
        close(*fd);
    }
}

static EndpointSlot *slot_of(guint number, char *path, int fd)
{
    EndpointSlot *slot = g_new0(EndpointSlot, 1);
    gsize length = 0;

    slot->number = number;
    slot->path = path;
    slot->fd = fd;
    slot->left = file_read_proc(path, NOTES_BYTES, &length);
    slot->noted = length > 0;
    if (!slot->noted)
        g_clear_pointer(&slot->left, g_free);
    return slot;
}

static gboolean slot_failed(const char *path, int number, GError **error)
{
    return vnat_error_set(
        error, number == EACCES || number == EPERM || number == EROFS ? VNAT_ERROR_DENIED : VNAT_ERROR_FAILED,
        "cannot keep notes in %s: %s", path, g_strerror(number));
}

/* A directory that others can write to is none of ours: notes are acted upon. */
static gboolean make_directory(const char *directory, GError **error)
{
    const char *path = directory ? directory : DIRECTORY;
    struct stat info;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return slot_failed(path, errno, error);
    if (lstat(path, &info) < 0)
        return slot_failed(path, errno, error);
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid() || (info.st_mode & (S_IWGRP | S_IWOTH)))
        return vnat_error_set(error, VNAT_ERROR_DENIED, "%s is not a directory that only its owner writes to",
                              path);
    return TRUE;
}

EndpointSlot *endpoint_slot_take(const char *directory, GError **error)
{
    if (!make_directory(directory, error))
        return NULL;
    for (guint number = 0; number < ENDPOINT_SLOTS; number++) {
        g_autofree char *path = slot_path(directory, number);
        int fd = -1;

        switch (lock_slot(path, O_CREAT, &fd)) {
        case LOCK_GOT:
            return slot_of(number, g_steal_pointer(&path), fd);
        case LOCK_TAKEN:
            break;
        case LOCK_MISSING:
        case LOCK_FAILED:
            slot_failed(path, errno, error);
            return NULL;
        }
    }
    vnat_error_set(error, VNAT_ERROR_EXISTS, "%u probes run already", ENDPOINT_SLOTS);
    return NULL;
}

GPtrArray *endpoint_slots_left(const char *directory)
{
    GPtrArray *slots = g_ptr_array_new_with_free_func((GDestroyNotify)endpoint_slot_free);

    for (guint number = 0; number < ENDPOINT_SLOTS; number++) {
        g_autofree char *path = slot_path(directory, number);
        int fd = -1;

        if (lock_slot(path, 0, &fd) != LOCK_GOT)
            continue;
        g_ptr_array_add(slots, slot_of(number, g_steal_pointer(&path), fd));
    }
    return slots;
}

guint endpoint_slot_number(const EndpointSlot *slot)
{
    return slot->number;
}

const char *endpoint_slot_left(const EndpointSlot *slot)
{
    return slot->left;
}

/* A note that was written in part must not become the beginning of the next one. */
gboolean endpoint_slot_note(EndpointSlot *slot, const char *note, GError **error)
{
    g_autofree char *line = g_strdup_printf("%s\n", note);
    const gsize length = strlen(line);
    const off_t end = lseek(slot->fd, 0, SEEK_END);
    ssize_t wrote;

    slot->noted = TRUE;
    do
        wrote = write(slot->fd, line, length);
    while (wrote < 0 && errno == EINTR);
    if (wrote == (ssize_t)length)
        return TRUE;
    slot_failed(slot->path, wrote < 0 ? errno : ENOSPC, error);
    (void)!ftruncate(slot->fd, end);
    return FALSE;
}

void endpoint_slot_forget(EndpointSlot *slot)
{
    (void)!ftruncate(slot->fd, 0);
    g_clear_pointer(&slot->left, g_free);
    slot->noted = FALSE;
}

void endpoint_slot_free(EndpointSlot *slot)
{
    if (!slot)
        return;
    if (!slot->noted)
        unlink(slot->path);
    close(slot->fd);
    g_free(slot->path);
    g_free(slot->left);
    g_free(slot);
}
