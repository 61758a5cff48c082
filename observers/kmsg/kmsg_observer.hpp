// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "kmsg_config.hpp"
#include "kmsg_oom.hpp"
#include "observer.hpp"

namespace tapio::kmsg {

// Where records come from: /dev/kmsg, or a test.
class Log {
 public:
  enum class Read : std::uint8_t {
    record,
    end,          // nothing new
    overwritten,  // the next one is gone; the one after it follows
    unreadable,   // it is skipped
  };
  virtual ~Log() = default;
  // The text lives until the next call.
  virtual Read next(std::string_view& record) = 0;
};

// What comes after now.
[[nodiscard]] Result<std::unique_ptr<Log>> open_log(Outside& outside,
                                                    const char* path = "/dev/kmsg");

// A record with dots in the place of all text but what is about OOM kills: others may hold secrets,
// the audit log's arguments for one, and answers go into recordings. Its length stays.
void leave_oom_alone(std::span<char> record);

// Reads the kernel's log once a second, and tells what it says about OOM kills.
class KmsgObserver final : public Observer {
 public:
  static constexpr std::size_t kMaxRecords = 16384;  // in a second; the rest waits
  static constexpr std::size_t kMaxReports = 256;    // in a second; the rest waits

  KmsgObserver(const Config& config, std::unique_ptr<Log> log, MonotonicTime now,
               std::uint64_t page_bytes);

  Status on_sample(const wire::Sample& sample, Output& out) override;
  void on_tick(MonotonicTime now, Output& out) override;
  void on_settings(const config::Section& settings) override {
    bytes_per_second_ = settings.as<Config>().bytes_per_second.bytes;
  }

  [[nodiscard]] std::uint64_t lost() const { return lost_; }
  [[nodiscard]] std::uint64_t malformed() const { return malformed_; }

 private:
  // True: it named a victim.
  bool on_record(std::string_view record, MonotonicTime now, Output& out);
  void count_lost(std::uint64_t sequence);
  void report_lost(MonotonicTime since, MonotonicTime now, Output& out);
  // Printk's clock is local_clock(), which nothing keeps in step with CLOCK_MONOTONIC: after weeks
  // they are seconds apart. What is read now was written since all had been read before.
  [[nodiscard]] MonotonicTime time_of(std::uint64_t microseconds, MonotonicTime now) const;

  std::unique_ptr<Log> log_;
  OomLog oom_;
  std::uint64_t bytes_per_second_;
  MonotonicTime all_read_;             // then
  std::uint64_t next_ = 0;             // sequence of the record that should follow; 0: any
  std::uint64_t lost_ = 0, told_ = 0;  // records
  std::uint64_t malformed_ = 0;
  std::vector<std::vector<OomTask>> tables_;  // of the facts of this tick, handed out behind it
};

}  // namespace tapio::kmsg
