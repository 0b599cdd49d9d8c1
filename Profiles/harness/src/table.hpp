// A CSV file that is appended to row by row and can be resumed after a cut: complete rows are kept, a torn one is dropped.
#pragma once
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace harness {

class Table {
 public:
  using Provenance = std::vector<std::pair<std::string, std::string>>;

  // `must_match`: provenance keys whose values a resumed file has to share, so that no table mixes two machines.
  Table(const std::string& path, const std::string& columns, int key_columns, const Provenance& provenance,
        const std::set<std::string>& must_match)
      : path_(path), key_columns_(key_columns) {
    const bool resumed = read(columns, provenance, must_match);
    file_ = std::fopen(path.c_str(), resumed ? "a" : "w");
    if (!file_) throw std::runtime_error("cannot write " + path);
    if (resumed) return;
    for (auto& [name, value] : provenance) std::fprintf(file_, "# %s: %s\n", name.c_str(), value.c_str());
    line(columns);
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() {
    if (file_) std::fclose(file_);
  }

  bool has(const std::string& key) const { return keys_.count(key) != 0; }
  std::size_t rows() const { return keys_.size(); }

  void append(const std::string& row) {
    line(row);
    keys_.insert(key_of(row));
  }

 private:
  // Flushed to the file at once: the process may be killed at its time limit, and what it has must be kept.
  void line(const std::string& text) {
    if (std::fprintf(file_, "%s\n", text.c_str()) < 0 || std::fflush(file_) != 0)
      throw std::runtime_error("cannot write " + path_ + ": is the disk full?");
  }

  std::string key_of(const std::string& row) const {
    std::size_t end = 0;
    for (int i = 0; i < key_columns_ && end != std::string::npos; ++i) end = row.find(',', end + (i > 0));
    return row.substr(0, end);
  }

  // True if the file holds a header to append to.
  bool read(const std::string& columns, const Provenance& provenance, const std::set<std::string>& must_match) {
    std::ifstream in(path_, std::ios::binary);
    if (!in) return false;
    std::stringstream all;
    all << in.rdbuf();
    std::string text = all.str();
    const std::size_t complete = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
    std::istringstream lines(text.substr(0, complete));
    bool header = false;
    for (std::string row; std::getline(lines, row);) {
      if (row.empty()) continue;
      if (row[0] == '#') {
        for (auto& [name, value] : provenance) {
          const std::string start = "# " + name + ": ";
          if (must_match.count(name) && row.rfind(start, 0) == 0 && row.substr(start.size()) != value)
            throw std::runtime_error(path_ + " was measured with " + name + " '" + row.substr(start.size()) + "', here it is '" +
                                     value + "'; write to another file");
        }
      } else if (!header) {
        if (row != columns) throw std::runtime_error(path_ + " has other columns; write to another file");
        header = true;
      } else {
        keys_.insert(key_of(row));
      }
    }
    if (header && complete < text.size() && truncate(path_.c_str(), long(complete)) != 0)
      throw std::runtime_error("cannot drop the torn last row of " + path_);
    return header;
  }

  std::string path_;
  int key_columns_;
  std::set<std::string> keys_;
  std::FILE* file_ = nullptr;
};

}  // namespace harness
