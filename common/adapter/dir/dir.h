/* Blob store in a folder of the file system. See port/blob_store.h for the contract.
 *
 * Layout     <path>/<name>/<4 digits>/<2 digits>/<id>: a blob's bytes, as they were sent, and
 * <id>.meta beside it (`key: value` lines); <id>.part is a blob that is being written. The folders
 * are the first six digits of the id, which are its time: one holds what began within 256 s, and is
 * removed once it is empty and an hour old.
 *
 * Visibility a blob is there when <id> is. Bytes and metadata are on the disk before the name is
 * given by a rename, and the name before the commit returns.
 *
 * Time       a file system has no deadline: a call takes as long as the disk. Network file systems
 * are to be mounted so that they fail (NFS: soft).
 *
 * Errors     UNAVAILABLE for a disk that is full, read-only, failing or not mounted.
 *
 * Sharing    every process that opens the store sees what the others do. Where they run as several
 * users, a common group and umask 002 let the janitor remove what the gateway wrote. */
#ifndef TONEARM_ADAPTER_DIR_DIR_H
#define TONEARM_ADAPTER_DIR_DIR_H

#include "port/blob_store.h"

/* Whether a path can be one of a store: absolute, and not too long. INVALID when not. */
int blob_dir_check(const char *path, struct err *e);
/* path must be absolute and is never made: one that is missing is a disk that is not mounted, and
 * pings say so. name: "videos" or "mp3s", made below it when it is first needed. */
int blob_dir_new(const char *path, const char *name, struct blob_store **ret, struct err *e);

#endif
