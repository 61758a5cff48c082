// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

// Runs a fuzz target where libFuzzer is absent: on each file of a directory, then on mutations of
// them that are the same each time. A fault is a crash, as under libFuzzer.
namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::size_t kMutations = 20'000;
constexpr std::size_t kMaxBytes = 4096;
constexpr std::size_t kMaxSteps = 8;
constexpr auto kMaxTime = std::chrono::seconds(20);

// xorshift64 (Marsaglia 2003).
class Random {
 public:
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    return state_ ^= state_ << 17;
  }
  std::uint64_t state_ = 0x9e3779b97f4a7c15;
};

std::vector<Input> seeds(const char* directory) {
  std::vector<std::filesystem::path> paths;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(directory, none))
    if (entry.is_regular_file(none)) paths.push_back(entry.path());
  std::ranges::sort(paths);
  std::vector<Input> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void flip_bits(Input& input, Random& random) {
  if (!input.empty())
    input[random.below(input.size())] ^= static_cast<std::uint8_t>(1 << random.below(8));
}

void insert_bytes(Input& input, Random& random) {
  // Those at the edges of a byte are where length checks go wrong.
  constexpr std::uint8_t kEdges[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
  const auto value = random.below(2) ? kEdges[random.below(std::size(kEdges))]
                                     : static_cast<std::uint8_t>(random.below(256));
  const auto at = static_cast<std::ptrdiff_t>(random.below(input.size() + 1));
  input.insert(input.begin() + at, 1 + random.below(4), value);
}

void erase_bytes(Input& input, Random& random) {
  const std::size_t begin = random.below(input.size() + 1);
  const std::size_t end = std::min(input.size(), begin + 1 + random.below(8));
  input.erase(input.begin() + static_cast<std::ptrdiff_t>(begin),
              input.begin() + static_cast<std::ptrdiff_t>(end));
}

// Puts a piece of another input in.
void splice(Input& input, const Input& other, Random& random) {
  const std::size_t from = random.below(other.size() + 1);
  const std::size_t count = random.below(other.size() - from + 1);
  const auto first = other.begin() + static_cast<std::ptrdiff_t>(from);
  const auto at = static_cast<std::ptrdiff_t>(random.below(input.size() + 1));
  input.insert(input.begin() + at, first, first + static_cast<std::ptrdiff_t>(count));
}

Input mutated(const std::vector<Input>& inputs, Random& random) {
  Input input = inputs[random.below(inputs.size())];
  for (std::size_t steps = 1 + random.below(kMaxSteps); steps > 0; --steps) {
    const std::size_t what = random.below(5);
    if (what == 0) flip_bits(input, random);
    if (what == 1) insert_bytes(input, random);
    if (what == 2) erase_bytes(input, random);
    if (what == 3) input.resize(random.below(input.size() + 1));
    if (what == 4) splice(input, inputs[random.below(inputs.size())], random);
  }
  input.resize(std::min(input.size(), kMaxBytes));
  return input;
}

void run(const Input& input) {
  // A copy of its exact size lets the address sanitizer see reads behind the end.
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<Input> inputs = seeds(count > 1 ? arguments[1] : "");
  const std::size_t files = inputs.size();
  inputs.emplace_back();
  for (const Input& input : inputs) run(input);

  Random random;
  std::size_t mutations = 0;
  const auto end = std::chrono::steady_clock::now() + kMaxTime;
  for (; mutations < kMutations && std::chrono::steady_clock::now() < end; ++mutations)
    run(mutated(inputs, random));
  std::printf("%zu seeds and %zu mutations ran\n", files, mutations);
  return 0;
}
