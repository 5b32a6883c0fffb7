/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/disk.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, FILES = 8, REGIONS = 16, REGION_SIZE = 32768 };

/* What one file holds now, and what of it is on the platter. */
struct disk_file {
        char *name; /* NULL: a temporary one */
        unsigned char *data, *kept;
        size_t size, kept_size, space;
        bool *dirty; /* by sector */
        size_t first_dirty, end_dirty;
        void *regions[REGIONS]; /* of the shared memory of the WAL */
        unsigned shared[SQLITE_SHM_NLOCK];
        bool exclusive[SQLITE_SHM_NLOCK];
};

struct disk {
        struct rng *rng;
        struct disk_file *files[FILES];
        uint64_t operations, die_after;
        bool dead, full;
};

static struct disk *the_disk;

/* What SQLite has open. */
struct handle {
        sqlite3_file base;
        struct disk_file *file;
        bool temporary;
        unsigned shared, exclusive; /* locks, as bits */
};

static void file_free(struct disk_file *file)
{
        for (size_t i = 0; i < REGIONS; i++)
                free(file->regions[i]);
        free(file->name);
        free(file->data);
        free(file->kept);
        free(file->dirty);
        free(file);
}

static void make_room(struct disk_file *file, size_t size)
{
        if (size <= file->space)
                return;
        size_t space = file->space ? file->space : 16384;
        while (space < size)
                space *= 2;
        file->data = realloc(file->data, space);
        file->kept = realloc(file->kept, space);
        file->dirty = realloc(file->dirty, space / SECTOR * sizeof(bool));
        assert(file->data && file->kept && file->dirty);
        memset(file->data + file->space, 0, space - file->space);
        memset(file->kept + file->space, 0, space - file->space);
        memset(file->dirty + file->space / SECTOR, 0, (space - file->space) / SECTOR * sizeof(bool));
        file->space = space;
}

static void mark_dirty(struct disk_file *file, size_t from, size_t to)
{
        size_t first = from / SECTOR, end = (to + SECTOR - 1) / SECTOR;
        if (file->first_dirty == file->end_dirty) {
                file->first_dirty = first;
                file->end_dirty = end;
        }
        file->first_dirty = first < file->first_dirty ? first : file->first_dirty;
        file->end_dirty = end > file->end_dirty ? end : file->end_dirty;
        for (size_t i = first; i < end; i++)
                file->dirty[i] = true;
}

/* Brings dirty sectors to the platter: all of them, or with `rng` each or not. */
static void settle(struct disk_file *file, struct rng *rng)
{
        for (size_t i = file->first_dirty; i < file->end_dirty; i++) {
                if (file->dirty[i] && (!rng || rng_chance(rng, 500)))
                        memcpy(file->kept + i * SECTOR, file->data + i * SECTOR, SECTOR);
                file->dirty[i] = false;
        }
        file->first_dirty = file->end_dirty = 0;
        if (!rng || rng_chance(rng, 500))
                file->kept_size = file->size;
}

/* Counts an operation; an error when it does not reach the disk. */
static int operate(bool grows)
{
        struct disk *disk = the_disk;
        disk->operations++;
        if (disk->die_after > 0 && disk->operations >= disk->die_after)
                disk->dead = true;
        if (disk->dead)
                return SQLITE_IOERR_WRITE;
        return disk->full && grows ? SQLITE_FULL : SQLITE_OK;
}

static int handle_close(sqlite3_file *base)
{
        struct handle *handle = (struct handle *)base;
        if (handle->temporary)
                file_free(handle->file);
        handle->file = NULL;
        return SQLITE_OK;
}

static int handle_read(sqlite3_file *base, void *buffer, int amount, sqlite3_int64 offset)
{
        const struct disk_file *file = ((struct handle *)base)->file;
        size_t from = (size_t)offset, length = (size_t)amount;
        size_t there = from >= file->size ? 0 : file->size - from < length ? file->size - from : length;
        memcpy(buffer, file->data + from, there);
        memset((char *)buffer + there, 0, length - there);
        return there < length ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int handle_write(sqlite3_file *base, const void *buffer, int amount, sqlite3_int64 offset)
{
        struct disk_file *file = ((struct handle *)base)->file;
        size_t from = (size_t)offset, length = (size_t)amount;
        int r = operate(from + length > file->size);
        if (r != SQLITE_OK)
                return r;
        make_room(file, from + length);
        memcpy(file->data + from, buffer, length);
        if (from + length > file->size)
                file->size = from + length;
        mark_dirty(file, from, from + length);
        return SQLITE_OK;
}

static int handle_truncate(sqlite3_file *base, sqlite3_int64 size)
{
        struct disk_file *file = ((struct handle *)base)->file;
        int r = operate(false);
        if (r == SQLITE_OK && (size_t)size < file->size) {
                memset(file->data + size, 0, file->size - (size_t)size);
                mark_dirty(file, (size_t)size, file->size);
                file->size = (size_t)size;
        }
        return r;
}

static int handle_sync(sqlite3_file *base, int flags)
{
        (void)flags;
        int r = operate(false);
        if (r == SQLITE_OK)
                settle(((struct handle *)base)->file, NULL);
        return r;
}

static int handle_size(sqlite3_file *base, sqlite3_int64 *ret)
{
        *ret = (sqlite3_int64)((struct handle *)base)->file->size;
        return SQLITE_OK;
}

/* One process has the disk, and it does one thing at a time: the locks of files are for others. */
static int handle_lock(sqlite3_file *base, int level)
{
        (void)base, (void)level;
        return SQLITE_OK;
}

static int handle_reserved(sqlite3_file *base, int *ret)
{
        (void)base;
        *ret = 0;
        return SQLITE_OK;
}

static int handle_control(sqlite3_file *base, int what, void *argument)
{
        (void)base, (void)what, (void)argument;
        return SQLITE_NOTFOUND;
}

static int handle_sector(sqlite3_file *base)
{
        (void)base;
        return SECTOR;
}

static int handle_traits(sqlite3_file *base)
{
        (void)base;
        return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int handle_map(sqlite3_file *base, int region, int size, int extend, void volatile **ret)
{
        struct disk_file *file = ((struct handle *)base)->file;
        assert(region < REGIONS && size == REGION_SIZE);
        if (!file->regions[region] && extend)
                file->regions[region] = calloc(1, REGION_SIZE);
        *ret = file->regions[region];
        return SQLITE_OK;
}

static int handle_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
        struct handle *handle = (struct handle *)base;
        struct disk_file *file = handle->file;
        for (int i = offset; i < offset + n; i++) {
                unsigned bit = 1U << i;
                if (flags & SQLITE_SHM_UNLOCK) {
                        file->shared[i] -= (handle->shared & bit) != 0;
                        file->exclusive[i] &= !(handle->exclusive & bit);
                        handle->shared &= ~bit;
                        handle->exclusive &= ~bit;
                } else if (flags & SQLITE_SHM_SHARED) {
                        if (file->exclusive[i])
                                return SQLITE_BUSY;
                        file->shared[i] += !(handle->shared & bit);
                        handle->shared |= bit;
                } else {
                        if (file->exclusive[i] || file->shared[i] > ((handle->shared & bit) != 0))
                                return SQLITE_BUSY;
                        file->exclusive[i] = true;
                        handle->exclusive |= bit;
                }
        }
        return SQLITE_OK;
}

static void handle_barrier(sqlite3_file *base)
{
        (void)base;
}

static int handle_unmap(sqlite3_file *base, int delete_it)
{
        (void)delete_it;
        return handle_shm_lock(base, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK);
}

static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = handle_close,
        .xRead = handle_read,
        .xWrite = handle_write,
        .xTruncate = handle_truncate,
        .xSync = handle_sync,
        .xFileSize = handle_size,
        .xLock = handle_lock,
        .xUnlock = handle_lock,
        .xCheckReservedLock = handle_reserved,
        .xFileControl = handle_control,
        .xSectorSize = handle_sector,
        .xDeviceCharacteristics = handle_traits,
        .xShmMap = handle_map,
        .xShmLock = handle_shm_lock,
        .xShmBarrier = handle_barrier,
        .xShmUnmap = handle_unmap,
};

static struct disk_file **find_place(const char *name)
{
        struct disk_file **empty = NULL;
        for (size_t i = 0; i < FILES; i++) {
                struct disk_file **place = &the_disk->files[i];
                if (*place && strcmp((*place)->name, name) == 0)
                        return place;
                if (!*place && !empty)
                        empty = place;
        }
        assert(empty);
        return empty;
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags)
{
        (void)vfs;
        struct handle *handle = (struct handle *)base;
        *handle = (struct handle){.base = {&methods}, .temporary = !name};
        struct disk_file *file = name ? *find_place(name) : NULL;
        if (!file) {
                file = calloc(1, sizeof(*file));
                assert(file);
                make_room(file, 1);
                if (name) {
                        file->name = strdup(name);
                        *find_place(name) = file;
                }
        }
        handle->file = file;
        if (ret_flags)
                *ret_flags = flags;
        return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
        (void)vfs, (void)sync;
        struct disk_file **place = find_place(name);
        int r = operate(false);
        if (r != SQLITE_OK || !*place)
                return r == SQLITE_OK ? SQLITE_IOERR_DELETE_NOENT : r;
        file_free(*place);
        *place = NULL;
        return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
        (void)vfs, (void)flags;
        *ret = *find_place(name) != NULL;
        return SQLITE_OK;
}

static int disk_path(sqlite3_vfs *vfs, const char *name, int size, char *ret)
{
        (void)vfs;
        sqlite3_snprintf(size, ret, "%s", name);
        return SQLITE_OK;
}

static int disk_random(sqlite3_vfs *vfs, int size, char *ret)
{
        (void)vfs;
        for (int i = 0; i < size; i++)
                ret[i] = (char)i;
        return size;
}

static int disk_sleep(sqlite3_vfs *vfs, int microseconds)
{
        (void)vfs;
        return microseconds;
}

static int disk_time(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
        (void)vfs;
        *ret = 0;
        return SQLITE_OK;
}

struct disk *disk_new(struct rng *rng)
{
        static sqlite3_vfs vfs = {
                .iVersion = 2,
                .szOsFile = sizeof(struct handle),
                .mxPathname = 512,
                .zName = DISK_VFS,
                .xOpen = disk_open,
                .xDelete = disk_delete,
                .xAccess = disk_access,
                .xFullPathname = disk_path,
                .xRandomness = disk_random,
                .xSleep = disk_sleep,
                .xCurrentTimeInt64 = disk_time,
        };
        sqlite3_vfs_register(&vfs, 1);
        struct disk *disk = calloc(1, sizeof(*disk));
        assert(disk && !the_disk);
        disk->rng = rng;
        the_disk = disk;
        return disk;
}

void disk_free(struct disk *disk)
{
        for (size_t i = 0; i < FILES; i++)
                if (disk->files[i])
                        file_free(disk->files[i]);
        free(disk);
        the_disk = NULL;
}

void disk_die_after(struct disk *disk, uint64_t operations)
{
        disk->die_after = operations > 0 ? disk->operations + operations : 0;
}

bool disk_is_dead(const struct disk *disk)
{
        return disk->dead;
}

void disk_kill(struct disk *disk)
{
        disk->dead = true;
}

void disk_restart(struct disk *disk)
{
        for (size_t i = 0; i < FILES; i++) {
                struct disk_file *file = disk->files[i];
                if (!file)
                        continue;
                settle(file, disk->rng);
                file->size = file->kept_size;
                memset(file->kept + file->size, 0, file->space - file->size);
                memcpy(file->data, file->kept, file->space);
                for (size_t k = 0; k < REGIONS; k++) {
                        free(file->regions[k]);
                        file->regions[k] = NULL;
                }
                memset(file->shared, 0, sizeof(file->shared));
                memset(file->exclusive, 0, sizeof(file->exclusive));
        }
        disk->dead = false;
        disk->die_after = 0;
}

void disk_set_full(struct disk *disk, bool full)
{
        disk->full = full;
}

struct disk_copy {
        struct disk disk;
};

/* Without what processes share of it. */
static struct disk_file *copy_file(const struct disk_file *file)
{
        struct disk_file *copy = calloc(1, sizeof(*copy));
        assert(copy);
        make_room(copy, file->space);
        copy->name = strdup(file->name);
        copy->size = file->size;
        copy->kept_size = file->kept_size;
        copy->first_dirty = file->first_dirty;
        copy->end_dirty = file->end_dirty;
        memcpy(copy->data, file->data, file->space);
        memcpy(copy->kept, file->kept, file->space);
        memcpy(copy->dirty, file->dirty, file->space / SECTOR * sizeof(bool));
        return copy;
}

struct disk_copy *disk_copy(const struct disk *disk)
{
        struct disk_copy *copy = calloc(1, sizeof(*copy));
        assert(copy);
        copy->disk = *disk;
        for (size_t i = 0; i < FILES; i++)
                copy->disk.files[i] = disk->files[i] ? copy_file(disk->files[i]) : NULL;
        return copy;
}

void disk_put_back(struct disk *disk, const struct disk_copy *copy)
{
        for (size_t i = 0; i < FILES; i++)
                if (disk->files[i])
                        file_free(disk->files[i]);
        *disk = copy->disk;
        for (size_t i = 0; i < FILES; i++)
                disk->files[i] = copy->disk.files[i] ? copy_file(copy->disk.files[i]) : NULL;
}

struct disk_copy *disk_copy_free(struct disk_copy *copy)
{
        for (size_t i = 0; copy && i < FILES; i++)
                if (copy->disk.files[i])
                        file_free(copy->disk.files[i]);
        free(copy);
        return NULL;
}
