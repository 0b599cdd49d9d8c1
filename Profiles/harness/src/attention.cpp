// Compiled by the host compiler: the frontend's headers take nvcc several times as long.
#include "attention.hpp"

#include <cudnn_frontend.h>

#include <cmath>
#include <unordered_map>

namespace harness {
namespace {

namespace fe = cudnn_frontend;

#define DNN_CHECK(x)                                                                                    \
  do {                                                                                                  \
    const cudnnStatus_t status_ = (x);                                                                  \
    if (status_ != CUDNN_STATUS_SUCCESS) fail(#x, cudnnGetErrorString(status_), __FILE__, __LINE__);    \
  } while (0)

// Never destroyed, like the GEMMs' handle.
cudnnHandle_t handle() {
  static cudnnHandle_t h = [] {
    cudnnHandle_t made{};
    DNN_CHECK(cudnnCreate(&made));
    return made;
  }();
  return h;
}

enum Uid : std::int64_t { kQ = 1, kK, kV, kO, kTableK, kTableV, kLengthQ, kLengthKV };

}  // namespace

struct Attention::State {
  AttentionShape shape;
  std::vector<int> pages;
  fe::graph::Graph graph;
  Buffer<int> table, length_q, length_kv;
  Buffer<char> workspace;

  explicit State(const AttentionShape& a)
      : shape(a), pages(page_table(a)), table(pages), length_q(std::vector<int>(std::size_t(a.batch), int(a.q_len))),
        length_kv(std::vector<int>(std::size_t(a.batch), int(a.kv_len))) {
    using Tensor = fe::graph::Tensor_attributes;
    graph.set_io_data_type(fe::DataType_t::BFLOAT16)
        .set_intermediate_data_type(fe::DataType_t::FLOAT)
        .set_compute_data_type(fe::DataType_t::FLOAT);
    const std::int64_t d = a.head_dim, row = a.kv_heads * d, blocks = a.pages_per_sequence();
    const std::vector<std::int64_t> q_dim{a.batch, a.heads, a.q_len, d};
    const std::vector<std::int64_t> q_stride{a.q_len * a.heads * d, d, a.heads * d, 1};
    auto tensor = [&](const char* name, Uid uid, std::vector<std::int64_t> dim, std::vector<std::int64_t> stride) {
      return graph.tensor(Tensor().set_name(name).set_uid(uid).set_dim(dim).set_stride(stride));
    };
    auto integers = [&](const char* name, Uid uid, std::int64_t length) {
      return graph.tensor(Tensor().set_name(name).set_uid(uid).set_dim({a.batch, 1, length, 1}).set_stride({length, length, 1, 1})
                              .set_data_type(fe::DataType_t::INT32));
    };
    // The cache is [page, token in page, kv head, d]; without pages a sequence is one run of its own length.
    auto cache = [&](const char* name, Uid uid) {
      return a.paged ? tensor(name, uid, {a.batch * blocks, a.kv_heads, a.page, d}, {a.page * row, d, row, 1})
                     : tensor(name, uid, {a.batch, a.kv_heads, a.kv_len, d}, {blocks * a.page * row, d, row, 1});
    };
    auto q = tensor("q", kQ, q_dim, q_stride);
    auto k = cache("k", kK), v = cache("v", kV);
    auto options = fe::graph::SDPA_attributes().set_name("attention").set_generate_stats(false)
                       .set_attn_scale(1.0f / std::sqrt(float(d)));
    if (a.paged)
      options.set_padding_mask(true)
          .set_seq_len_q(integers("length_q", kLengthQ, 1))
          .set_seq_len_kv(integers("length_kv", kLengthKV, 1))
          .set_paged_attention_k_table(integers("table_k", kTableK, blocks))
          .set_paged_attention_v_table(integers("table_v", kTableV, blocks))
          .set_paged_attention_max_seq_len_kv(int(a.kv_len));
    // A single query at the end sees all keys: it needs no causal mask, only the window's left edge.
    if (a.q_len > 1 || a.window) options.set_diagonal_alignment(fe::DiagonalAlignment_t::BOTTOM_RIGHT);
    if (a.q_len > 1 || a.window) options.set_diagonal_band_right_bound(0);
    if (a.window) options.set_diagonal_band_left_bound(int(a.window));
    auto [o, stats] = graph.sdpa(q, k, v, options);
    o->set_output(true).set_uid(kO).set_dim(q_dim).set_stride(q_stride);
    auto built = graph.build(handle(), {fe::HeurMode_t::A});
    if (built.is_bad()) throw Unsupported("cuDNN attention: " + built.get_message());
    std::int64_t bytes = 0;
    auto sized = graph.get_workspace_size(bytes);
    if (sized.is_bad()) throw Unsupported("cuDNN attention: " + sized.get_message());
    workspace = Buffer<char>(std::size_t(std::max<std::int64_t>(1, bytes)));
  }
};

Attention::Attention(const AttentionShape& shape) : state_(std::make_unique<State>(shape)) {}
Attention::~Attention() = default;
const AttentionShape& Attention::shape() const { return state_->shape; }
const std::vector<int>& Attention::table() const { return state_->pages; }

void Attention::launch(const bf16* q, const bf16* k, const bf16* v, bf16* o, cudaStream_t s) {
  DNN_CHECK(cudnnSetStream(handle(), s));
  std::unordered_map<std::int64_t, void*> pack{
      {kQ, const_cast<bf16*>(q)}, {kK, const_cast<bf16*>(k)}, {kV, const_cast<bf16*>(v)}, {kO, o}};
  if (state_->shape.paged) {
    pack[kTableK] = pack[kTableV] = state_->table.get();
    pack[kLengthQ] = state_->length_q.get();
    pack[kLengthKV] = state_->length_kv.get();
  }
  auto done = state_->graph.execute(handle(), pack, state_->workspace.get());
  if (done.is_bad()) fail("cuDNN attention", done.get_message().c_str(), __FILE__, __LINE__);
}

std::string cudnn_version() {
  const std::size_t v = cudnnGetVersion();
  return std::to_string(v / 10000) + "." + std::to_string(v / 100 % 100) + "." + std::to_string(v % 100);
}

}  // namespace harness
