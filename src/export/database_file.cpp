// SPDX-License-Identifier: Apache-2.0
#include "export/database_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/fd.hpp"

namespace tapio::sql {

namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kOwnersDirectory = 0700;
constexpr std::string_view kCorrupt = ".corrupt-";

// A disk that is full, read-only or not there yet may be another in a minute.
std::unexpected<Error> failed(const std::string& doing) {
  const bool forbidden = errno == EACCES || errno == EPERM;
  return fail(forbidden ? Fault::denied : Fault::unavailable,
              fmt::format("{}: {}", doing, std::strerror(errno)));
}

std::string directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "/" : parent;
}

// SQLite lays its log beside the file, by name: nobody else may have been there before.
Status prepare_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), kOwnersDirectory) != 0 && errno != EEXIST)
    return failed("make " + directory);
  struct stat info{};
  if (::stat(directory.c_str(), &info) != 0) return failed("look at " + directory);
  if (!S_ISDIR(info.st_mode))
    return fail(Fault::unavailable, fmt::format("{} is not a directory", directory));
  if (info.st_uid != ::geteuid() && info.st_uid != 0)
    return fail(Fault::denied, fmt::format("{} belongs to user {}", directory, info.st_uid));
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(Fault::denied, fmt::format("others may write to {}: give the store a directory of "
                                           "its own",
                                           directory));
  return {};
}

Status check_file(const Fd& file, const std::string& path) {
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return failed("look at " + path);
  if (!S_ISREG(info.st_mode))
    return fail(Fault::denied, fmt::format("{} is not a regular file", path));
  if (info.st_uid != ::geteuid())
    return fail(Fault::denied, fmt::format("{} belongs to user {}", path, info.st_uid));
  if (info.st_nlink > 1)
    return fail(Fault::denied, fmt::format("{} has other names (hard links)", path));
  if ((info.st_mode & 0777) != kOwnerOnly && ::fchmod(file.get(), kOwnerOnly) != 0)
    return failed("chmod " + path);
  return {};
}

void remove_older_copies(const std::string& path) {
  const std::string prefix =
      std::filesystem::path(path).filename().string() + std::string(kCorrupt);
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(directory_of(path), gone))
    if (entry.path().filename().string().starts_with(prefix))
      std::filesystem::remove(entry.path(), gone);
}

}  // namespace

Status prepare_file(const std::string& path) {
  TRY(prepare_directory(directory_of(path)));
  const Fd file(::open(
      path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, kOwnerOnly));
  if (!file && errno == ELOOP)
    return fail(Fault::denied, fmt::format("{} is a symbolic link, give the file itself", path));
  if (!file) return failed("open " + path);
  return check_file(file, path);
}

Result<std::string> put_aside(const std::string& path, std::chrono::nanoseconds now) {
  remove_older_copies(path);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  std::string aside = fmt::format("{}{}{}", path, kCorrupt, seconds);
  if (std::rename(path.c_str(), aside.c_str()) != 0 && errno != ENOENT)
    return failed(fmt::format("rename {} to {}", path, aside));
  // Belongs to the old file, and would spoil the new one.
  std::rename((path + "-wal").c_str(), (aside + "-wal").c_str());
  ::unlink((path + "-shm").c_str());
  return aside;
}

std::uint64_t log_bytes(const std::string& path) {
  struct stat info{};
  return ::stat((path + "-wal").c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace tapio::sql
