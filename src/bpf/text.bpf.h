/* SPDX-License-Identifier: GPL-2.0-only */
/* Text behind an event: strings, paths, argument vectors. Each piece knows how long it was. */
#ifndef TAPIO_TEXT_BPF_H
#define TAPIO_TEXT_BPF_H

#include "bpf/tapio.bpf.h"

#define TAPIO_NAME_BYTES 256 /* NAME_MAX and its end */

/* Where the next piece goes; NULL when fewer than `room` bytes are left for it. `end` is its offset
 * from the start of the event. */
static __always_inline void *tapio_tail_at(struct tapio_run *run, __u32 room, __u64 *offset)
{
	__u64 end;

	if (!run->slot)
		return NULL;
	end = tapio_again(run->slot->end);
	barrier_var(end); /* or clang checks one copy and uses another */
	if (end > TAPIO_SLOT_BYTES - room)
		return NULL;
	*offset = end;
	return run->slot->bytes + end;
}

static __always_inline void tapio_tail_grow(struct tapio_run *run, __u64 bytes)
{
	tapio_again(run->slot->end) += bytes;
}

/* A kernel string into zeroed memory, without what lies behind its end. */
static __always_inline void tapio_read_string(struct tapio_run *run, void *to, __u32 room,
					      const void *from)
{
	if (!from || bpf_probe_read_kernel_str(to, room, from) < 0)
		tapio_add(run->row->read_faults, 1);
}

/* A kernel string of at most `room` bytes, its end included; `room` is a constant. */
static __always_inline void tapio_append_string(struct tapio_run *run, struct tapio_text *piece,
						const char *string, __u32 room)
{
	__u64 offset;
	void *to = tapio_tail_at(run, room, &offset);
	long size;

	if (!to || !string)
		return;
	size = bpf_probe_read_kernel_str(to, room, string);
	if (size <= 0) {
		tapio_add(run->row->read_faults, 1);
		return;
	}
	piece->offset = offset;
	piece->size = size - 1;
	piece->original = size == room ? size : size - 1; /* cut: at least one byte more */
	tapio_tail_grow(run, size - 1);
}

/* The same from the current task's memory. A page that is not there is a failed read. */
static __always_inline void tapio_append_user_string(struct tapio_run *run,
						     struct tapio_text *piece, __u64 from,
						     __u32 room)
{
	__u64 offset;
	void *to = tapio_tail_at(run, room, &offset);
	long size;

	if (!to || !from)
		return;
	size = bpf_probe_read_user_str(to, room, (void *)from);
	if (size <= 0) {
		tapio_add(run->row->read_faults, 1);
		return;
	}
	piece->offset = offset;
	piece->size = size - 1;
	piece->original = size == room ? size : size - 1;
	tapio_tail_grow(run, size - 1);
}

/* Bytes of the current task's memory, at most `room`, a power of two minus one. */
static __always_inline void tapio_append_user(struct tapio_run *run, struct tapio_text *piece,
					      __u64 from, __u64 bytes, __u32 room)
{
	__u64 offset;
	void *to = tapio_tail_at(run, room, &offset);
	__u32 size = bytes < room ? bytes : room;

	piece->original = bytes;
	if (!to)
		return;
	barrier_var(size); /* or clang drops the mask, and the verifier never sees a bound */
	size &= room;
	if (bpf_probe_read_user(to, size, (void *)from)) {
		tapio_add(run->row->read_faults, 1);
		return;
	}
	piece->offset = offset;
	piece->size = size;
	tapio_tail_grow(run, size);
}

/* Bytes of the kernel's memory, at most `room`, a power of two minus one; `original` is how many
 * there are, of which others may lie elsewhere. */
static __always_inline void tapio_append_kernel(struct tapio_run *run, struct tapio_text *piece,
						const void *from, __u64 bytes, __u32 original,
						__u32 room)
{
	__u64 offset;
	void *to = tapio_tail_at(run, room, &offset);
	__u32 size = bytes < room ? bytes : room;

	piece->original = original;
	if (!to)
		return;
	barrier_var(size); /* as above */
	size &= room;
	if (bpf_probe_read_kernel(to, size, from)) {
		tapio_add(run->row->read_faults, 1);
		return;
	}
	piece->offset = offset;
	piece->size = size;
	tapio_tail_grow(run, size);
}

/* One name of a path, with its end. False: no room, or unreadable. */
static __always_inline bool tapio_append_name(struct tapio_run *run, const unsigned char *name)
{
	__u64 offset;
	void *to = tapio_tail_at(run, TAPIO_NAME_BYTES, &offset);
	long size;

	if (!to)
		return false;
	size = bpf_probe_read_kernel_str(to, TAPIO_NAME_BYTES, name);
	if (size <= 0) {
		tapio_add(run->row->read_faults, 1);
		return false;
	}
	tapio_tail_grow(run, size);
	return true;
}

/* Most names lie in the dentry itself. There a typed program copies words, and what is behind the
 * name's end with them, which the next piece overwrites: no call. False: the name lies elsewhere,
 * or there is no room. */
static __always_inline bool tapio_append_short_name(struct tapio_run *run, struct dentry *dentry)
{
	const __u64 *name = tapio_short_name(dentry);
	__u64 offset, *to = tapio_tail_at(run, TAPIO_NAME_BYTES, &offset);
	__u32 size = dentry->d_name.len;

	if (!to || dentry->d_name.name != (const void *)name || size >= TAPIO_SHORT_NAME_MAX)
		return false;
#pragma unroll
	for (__u32 i = 0; i < TAPIO_SHORT_NAME_MAX / sizeof(*name); i++)
		if (i < tapio_short_name_bytes() / sizeof(*name))
			to[i] = name[i];
	tapio_tail_grow(run, size + 1);
	return true;
}

/* The names from `dentry` up to below `root`, of the same mount, in a typed program. False: that is
 * all that can be told; `original` is 0 when it is all there is. */
static __always_inline bool tapio_append_names(struct tapio_run *run, struct tapio_text *piece,
					       struct dentry *dentry, struct dentry *root,
					       __u64 last)
{
	for (int i = 0; i < TAPIO_PATH_PARTS && dentry != root; i++) {
		struct dentry *parent = dentry->d_parent;

		if (tapio_again(run->slot->end) > last ||
		    (!tapio_append_short_name(run, dentry) &&
		     !tapio_append_name(run, dentry->d_name.name)))
			return false;
		if (dentry == parent) { /* memfd and the like: no way up */
			piece->original = 0;
			return false;
		}
		dentry = parent;
	}
	return dentry == root;
}

/* A path, component by component from the leaf up, each with its end: "ls\0bin\0usr\0". User
 * space turns it round. `original` is 0 when the way up was followed to the root, else the path is
 * longer than what is here. bpf_d_path() is not allowed in these programs. Follows mounts up to the
 * root of the mount namespace, so a chroot shows in full. */
static __always_inline void tapio_append_path(struct tapio_run *run, struct tapio_text *piece,
					      struct vfsmount *vfsmount, struct dentry *dentry,
					      __u32 room)
{
	/* container_of() would use the offset of the kernel that vmlinux.h was made from. */
	struct mount *mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	struct dentry *root;
	__u64 start, last;

	if (!vfsmount || !dentry || !tapio_tail_at(run, room, &start))
		return;
	piece->offset = start;
	piece->original = 1;
	last = start + room - TAPIO_NAME_BYTES;
	root = TAPIO_GET(run, vfsmount, mnt_root);
	if (run->typed) {
		if (!tapio_append_names(run, piece, dentry, root, last))
			goto out;
		dentry = root;
	}
	for (int i = 0; i < TAPIO_PATH_PARTS; i++) {
		struct dentry *parent;

		if (dentry == root) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (mount == above) {
				piece->original = 0;
				break;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			root = BPF_CORE_READ(above, mnt.mnt_root);
			mount = above;
			continue;
		}
		if (tapio_again(run->slot->end) > last ||
		    !tapio_append_name(run, BPF_CORE_READ(dentry, d_name.name)))
			break;
		parent = BPF_CORE_READ(dentry, d_parent);
		if (dentry == parent) { /* memfd and the like: no way up */
			piece->original = 0;
			break;
		}
		dentry = parent;
	}
out:
	piece->size = tapio_again(run->slot->end) - start;
}

#endif
