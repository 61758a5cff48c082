// SPDX-License-Identifier: Apache-2.0
#include "capture/channel.hpp"

#include <bpf/bpf.h>
#include <linux/perf_event.h>
#include <sys/epoll.h>

#include <bit>
#include <cerrno>

namespace tapio::capture {

Result<std::unique_ptr<Channel>> Channel::open(const char* map, Kind kind, Wake wake,
                                               std::size_t bytes, OnBytes on_bytes) {
  std::unique_ptr<Channel> channel(new Channel);
  const auto cpus = static_cast<unsigned>(libbpf_num_possible_cpus());
  channel->on_bytes_ = std::move(on_bytes);
  channel->map_ = Fd(kind == Kind::ring
                         ? bpf_map_create(BPF_MAP_TYPE_RINGBUF, map, 0, 0, bytes, nullptr)
                         : bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, map, 4, 4, cpus, nullptr));
  if (!channel->map_) return from_errno(errno, std::string("create map ") + map);
  TRY(kind == Kind::ring ? channel->open_ring() : channel->open_perf(wake, bytes / cpus));
  return channel;
}

Status Channel::open_ring() {
  const auto on_sample = [](void* self, void* data, std::size_t size) {
    static_cast<Channel*>(self)->on_bytes_({static_cast<const std::byte*>(data), size});
    return 0;
  };
  ring_.reset(ring_buffer__new(map_.get(), on_sample, this, nullptr));
  if (!ring_) return from_errno(errno, "open ring buffer");
  return {};
}

// libbpf's plain perf buffer wakes its reader for every sample; here the kernel wakes it at a
// fill mark, unless told otherwise.
Status Channel::open_perf(Wake wake, std::size_t bytes_per_cpu) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto pages = std::bit_floor(std::max(bytes_per_cpu / page, std::size_t{1}));
  perf_event_attr attr{};
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_SOFTWARE;
  attr.config = PERF_COUNT_SW_BPF_OUTPUT;
  attr.sample_type = PERF_SAMPLE_RAW;
  attr.sample_period = 1;
  attr.watermark = wake == Wake::when_half_full;
  attr.wakeup_watermark = attr.watermark ? pages * page / 2 : 1;  // a union with wakeup_events

  const auto on_event = [](void* self, int, perf_event_header* event) {
    struct Sample {
      perf_event_header header;
      std::uint32_t size;
      std::byte data[];
    };
    struct Lost {
      perf_event_header header;
      std::uint64_t id, count;
    };
    auto& channel = *static_cast<Channel*>(self);
    if (event->type == PERF_RECORD_SAMPLE) {
      const auto* sample = static_cast<const Sample*>(static_cast<void*>(event));
      channel.on_bytes_({sample->data, sample->size});
    } else if (event->type == PERF_RECORD_LOST) {
      channel.lost_ += static_cast<const Lost*>(static_cast<void*>(event))->count;
    }
    return LIBBPF_PERF_EVENT_CONT;
  };
  perf_.reset(perf_buffer__new_raw(map_.get(), pages, &attr, on_event, this, nullptr));
  if (!perf_) return from_errno(errno, "open perf buffer");
  return {};
}

void Channel::consume() {
  if (ring_) ring_buffer__consume(ring_.get());
  if (perf_) perf_buffer__consume(perf_.get());
}

int Channel::wait_fd() const {
  return ring_ ? ring_buffer__epoll_fd(ring_.get()) : perf_buffer__epoll_fd(perf_.get());
}

Result<Drain> Drain::open(std::span<Channel* const> channels) {
  Drain drain;
  drain.epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  for (const Channel* channel : channels) {
    // Edge: a level would stay up while records come in, and the reader would spin on them.
    epoll_event readable{.events = EPOLLIN | EPOLLET, .data = {}};
    if (::epoll_ctl(drain.epoll_.get(), EPOLL_CTL_ADD, channel->wait_fd(), &readable))
      return from_errno(errno, "watch channel");
  }
  return drain;
}

Status Drain::wait(std::chrono::milliseconds beat) {
  epoll_event ready{};
  if (::epoll_wait(epoll_.get(), &ready, 1, static_cast<int>(beat.count())) < 0 && errno != EINTR)
    return from_errno(errno, "wait for channels");
  return {};
}

}  // namespace tapio::capture
