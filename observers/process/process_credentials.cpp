// SPDX-License-Identifier: Apache-2.0
#include "process_credentials.hpp"

#include <sys/stat.h>

namespace tapio::process {

namespace {

// Nobody gets from a user namespace into the initial one (setns(2)), so who is there was there.
bool same_namespace(const Credentials& before, const Credentials& after) {
  return before.user_namespace == after.user_namespace ||
         (!before.user_namespace && after.user_namespace == kInitialUserNamespace);
}

bool could_be_root(const Credentials& c) {
  return c.uid == 0 || c.euid == 0 || c.suid == 0;
}

}  // namespace

Credentials credentials_of(const tapio_credentials& c) {
  return {.uid = c.uid,
          .euid = c.euid,
          .suid = c.suid,
          .gid = c.gid,
          .egid = c.egid,
          .sgid = c.sgid,
          .effective = c.effective,
          .permitted = c.permitted,
          .inheritable = c.inheritable,
          .bounding = c.bounding,
          .ambient = c.ambient,
          .user_namespace = c.user_namespace};
}

bool differ(const Credentials& before, const Credentials& after) {
  Credentials compared = before;
  if (!before.user_namespace || !after.user_namespace)
    compared.user_namespace = after.user_namespace;
  return compared != after;
}

bool gained(const Credentials& before, const Credentials& after) {
  if (!same_namespace(before, after)) return false;
  const bool became_root = after.euid == 0 && !could_be_root(before);
  return became_root || (after.permitted & ~before.permitted) != 0;
}

CredentialsVia found_at_exec(const Credentials& before, const Credentials& after,
                             bool set_id_file) {
  const bool real_ids = before.uid != after.uid || before.gid != after.gid;
  const bool effective_ids = before.euid != after.euid || before.egid != after.egid;
  const bool left = before.user_namespace && before.user_namespace != after.user_namespace;
  return real_ids || left || (effective_ids && !set_id_file) ? CredentialsVia::found
                                                             : CredentialsVia::exec;
}

bool is_set_id(std::uint32_t file_mode) {
  return file_mode & S_ISUID || (file_mode & S_ISGID && file_mode & S_IXGRP);
}

}  // namespace tapio::process
