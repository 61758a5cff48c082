// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "store_reader.hpp"
#include "store_sink.hpp"
#include "temporary.hpp"

// What somebody asks in SQL. Whatever it is, it ends soon, keeps to its bounds, and leaves the
// database and the files around it as they were.
namespace {

using namespace tapio;
using namespace std::chrono_literals;

constexpr SchemaOf kExec{"test.exec", Kind::event, "A program runs.",
                         Field{"test.path", Type::text, "Which.", "", "1"}};
// One step of SQLite's machine is not interrupted, however long it takes.
constexpr std::clock_t kMaxSeconds = 60;
const store::Limits kLimits{.time = 5ms, .rows = 10};

void require(bool holds) {
  if (!holds) std::abort();
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A store with a few records, closed, and one who reads it.
class Store {
 public:
  Store() {
    store::StoreSink sink({.path = path_});
    Batch batch;
    for (std::uint64_t i = 0; i < 20; ++i) {
      batch.records.push_back(kExec({.time = 5s, .pid = 7}, batch.arena.keep("/bin/true")));
      batch.records.back().id = {1, i};
    }
    require(bool(sink.write(batch)));
  }
  void open() {
    reader_ = std::move(*store::Reader::open(path_));
    ask("SELECT * FROM records");  // now the files that readers share are there
    before_ = content(path_);
    files_ = directory_.files();
  }

  void ask(std::string_view sql) const {
    const std::clock_t began = std::clock();  // a busy machine is no fault of the query
    const auto rows = reader_->query(sql, {}, kLimits);
    require(std::clock() - began < kMaxSeconds * CLOCKS_PER_SEC);
    if (!rows) {
      require(!rows.error().what.empty());
      return;
    }
    require(rows->rows.size() <= kLimits.rows);
    require(std::ranges::all_of(
        rows->rows, [&](const auto& row) { return row.size() == rows->columns.size(); }));
  }
  void check_untouched() const {
    require(content(path_) == before_ && content(path_ + "-wal").empty());
    require(directory_.files() == files_);
  }

 private:
  Temporary directory_;
  std::string path_ = directory_.file("tapio.db"), before_;
  std::size_t files_ = 0;
  std::optional<store::Reader> reader_;
};

std::unique_ptr<const Store> opened() {
  auto store = std::make_unique<Store>();
  store->open();
  return store;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::unique_ptr<const Store> store = opened();
  store->ask(std::string(data, data + size));
  store->check_untouched();
  return 0;
}
