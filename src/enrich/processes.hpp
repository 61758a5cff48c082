// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "facts/world.hpp"

namespace tapio {

struct ProcessLimits {                // each at least 1
  std::size_t live = 131'072;         // beyond it the one longest without a fact is forgotten
  std::size_t exited = 8'192;         // beyond it the one that ended first is forgotten
  std::size_t spare_exited = 1'024;   // instead, while memory is short
  std::size_t text_bytes = 8u << 20;  // of all executables and arguments; see Processes::trim()
  std::size_t args_bytes = 4096;      // of one process; more is cut
  std::chrono::nanoseconds remembered = std::chrono::minutes(5);  // after its exit
};

// How much of /proc a walk has shown. After a partial one, absence proves nothing.
enum class Coverage : std::uint8_t { complete, partial };

// All processes, the living and the lately dead, from facts alone. Takes facts that are somewhat
// out of order: newer knowledge is never overwritten by older, and nobody is raised from the dead.
// Constant time per fact. One thread uses it.
class Processes {
 public:
  struct Stats {
    std::size_t live = 0;
    std::size_t exited = 0;  // kept, Life::unknown included
    std::size_t text_bytes = 0;
    std::uint64_t evicted_live = 0;    // forgotten because the table was full
    std::uint64_t evicted_exited = 0;  // forgotten before their time
    std::uint64_t duplicates = 0;      // starts and exits seen again
    std::uint64_t stale = 0;           // execs and credentials older than what was known
    std::uint64_t unknown_exits = 0;   // gone without an exit fact
    std::uint64_t never_started = 0;   // first heard of by something else than a start
    std::uint64_t texts_cut = 0;       // executables or arguments shortened to stay in the budget
  };

  explicit Processes(ProcessLimits limits = {}) : limits_(limits) {}
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  void started(const ProcessStarted& fact);
  void executed(const ProcessExecuted& fact);
  void exited(const ProcessExited& fact);
  void signaled(const SignalSent& fact);
  void moved(const ProcessMoved& fact);
  void credentials_changed(const CredentialsChanged& fact);
  // Forgets those that exited long enough before.
  void expire(MonotonicTime now);
  void spare_memory(bool is_short);

  // What /proc shows, as a fact without evidence; its time is from before the reading. For the
  // start, and between begin_resync() and end_resync() after facts were lost: who was not seen
  // then, and of whom no fact came since, becomes Life::unknown.
  void seen(const ProcessExecuted& snapshot);
  void begin_resync(MonotonicTime now);
  void end_resync(Coverage coverage);

  [[nodiscard]] const Process* find(ProcessId id) const;
  [[nodiscard]] const Process* find(std::uint32_t pid) const;  // who has it now, or had it last
  // Those that live; of more than `most`, those of which a fact came last.
  [[nodiscard]] std::vector<const Process*> living(std::size_t most) const;
  [[nodiscard]] Stats stats() const;

 private:
  static constexpr std::size_t kMaxIncarnations = 8;  // of one pid; the oldest is forgotten
  static constexpr std::size_t kKeptArgs = 128;       // bytes, when the text of the living is cut
  static constexpr std::size_t kMaxName = 64;  // TASK_COMM_LEN is 16; kernel workers have more

  // What is left of a text. A list per state, so that the next to be cut is found at once.
  enum class Text : std::uint8_t { full_dead, full_live, cut, bare };
  static constexpr std::size_t kTexts = 4;
  struct Image {
    ProcessImage image;
    std::uint32_t living = 0, dead = 0;  // processes that have it
    Text text = Text::full_live;
    std::list<Image>::iterator self;
  };
  struct Entry {
    Process process;
    Image* image = nullptr;
    Entry* older = nullptr;            // the same pid before
    MonotonicTime image_time{};        // of the newest word on the image; 0: none
    MonotonicTime credentials_time{};  // of the newest full word on credentials; 0: none
    MonotonicTime heard{};             // of the newest fact
    std::uint32_t walk = 0;            // the latest resync that saw it
    bool start_seen = false;
    std::list<Entry>::iterator self;
  };
  using Entries = std::list<Entry>;

  [[nodiscard]] Entry* locate(ProcessId id) const;
  Entry& know(ProcessId id, MonotonicTime time);
  Entry& insert(ProcessId id, MonotonicTime time);
  void link(Entry& entry);
  void limit_incarnations(std::uint32_t pid);
  void retire(Entry& entry, Life life, MonotonicTime time);
  void limit_exited();
  void revive(Entry& entry);
  void erase(Entry& entry);
  void touch(Entry& entry, MonotonicTime time);
  void mention(ProcessId id, std::string_view name, std::uint64_t cgroup_id, MonotonicTime time);
  void inherit(Entry& child, const ProcessStarted& fact);
  void describe(Entry& entry, const ProcessExecuted& fact);

  void set_credentials(Entry& entry, const Credentials& credentials, MonotonicTime time);
  void drop_credentials(Entry& entry);
  void set_image(Entry& entry, const ProcessExecuted& fact);
  [[nodiscard]] bool is_of(const ProcessImage& image, const ProcessExecuted& fact) const;
  void share_image(Entry& entry, Image* image);
  void drop_image(Entry& entry);
  void mourn(Image& image);
  void move(Image& image, Text to);
  void shorten(Image& image, Text to);
  // Over the budget: arguments of the dead go first, then those of the living but for their head,
  // then everything; always the longest kept first.
  void trim();

  ProcessLimits limits_;
  bool memory_is_short_ = false;
  Entries live_;                                      // longest without a fact first
  Entries exited_;                                    // ended first, first
  std::unordered_map<std::uint32_t, Entry*> newest_;  // by pid
  std::map<Credentials, std::uint32_t> credentials_;  // and how many have them: few differ
  std::list<Image> images_[kTexts];
  Image* latest_image_ = nullptr;  // that was made for an exec, if anybody has it still
  std::size_t text_bytes_ = 0;
  std::uint32_t walk_ = 0;
  MonotonicTime walk_began_{};
  Stats counted_;
};

}  // namespace tapio
