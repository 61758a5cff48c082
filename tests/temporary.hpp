// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace tapio {

// A directory that is gone when the program ends; in memory where there is room for such.
class Temporary {
 public:
  Temporary() {
    std::error_code none;
    const bool in_memory = std::filesystem::is_directory("/dev/shm", none);
    const auto parent = in_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string name = parent / "tapio_XXXXXX";
    if (!::mkdtemp(name.data())) std::abort();
    path_ = name;
  }
  ~Temporary() {
    std::error_code none;
    std::filesystem::remove_all(path_, none);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  [[nodiscard]] std::string file(const char* name) const { return path_ / name; }
  [[nodiscard]] std::size_t files() const {
    const std::filesystem::directory_iterator all(path_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

 private:
  std::filesystem::path path_;
};

}  // namespace tapio
