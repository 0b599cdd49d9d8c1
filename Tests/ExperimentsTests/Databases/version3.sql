BEGIN TRANSACTION;
CREATE TABLE capacities (
  capacity_id INTEGER PRIMARY KEY AUTOINCREMENT,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  version TEXT,                    -- of this program
  argv TEXT,                       -- the command line
  config TEXT,                     -- every parameter but rate and seed, as JSON
  policy TEXT,
  model TEXT,
  hardware TEXT,
  engine TEXT,
  trace TEXT,
  tensor_parallel_size INTEGER,
  seeds TEXT,                      -- of the runs, with commas between them
  attainment_target REAL,          -- share of requests, 0 to 1
  max_watts REAL,                  -- null: no cap
  max_energy_per_token_mj REAL,    -- null: no cap
  tolerance REAL,                  -- request_rate_failing over request_rate, less 1, at most
  request_rate REAL,               -- the capacity, requests/s; null: there is none
  request_rate_failing REAL,       -- the least rate known to be too much
  request_rate_low REAL,           -- 95 % interval of the mean of the seeds' own capacities
  request_rate_high REAL,
  limited_by TEXT,                 -- what fails beyond: attainment, watts or energy
  slo_attainment REAL,             -- at the capacity, mean over seeds, as are the next two
  mean_watts REAL,
  energy_per_token_mj REAL,
  runs INTEGER                     -- that the search looked at
);
CREATE TABLE iteration_kernels (
  run_id INTEGER NOT NULL,
  replica INTEGER NOT NULL,
  iter INTEGER NOT NULL,
  kernel TEXT NOT NULL,
  calls INTEGER NOT NULL,
  extrapolated_calls INTEGER NOT NULL,
  kernel_s REAL NOT NULL,
  energy_j REAL NOT NULL,
  flops REAL NOT NULL,
  bytes REAL NOT NULL,
  PRIMARY KEY (run_id, replica, iter, kernel)
) WITHOUT ROWID;
CREATE TABLE iteration_strips (
  run_id INTEGER NOT NULL,
  replica INTEGER NOT NULL,
  first_iter INTEGER NOT NULL,     -- rank among the iterations of the replica, from 0
  steps INTEGER NOT NULL,          -- how many iterations, 1 to 16
  t_start REAL NOT NULL,           -- s, of lane 0
  batch_size INTEGER NOT NULL,     -- sequences: those that decode, and prompts
  num_prefill_tokens INTEGER NOT NULL,
  num_decode_tokens INTEGER NOT NULL,
  layer_begin INTEGER NOT NULL,    -- of lane 0; layers that carry prefill, half-open; equal if none does
  layer_end INTEGER NOT NULL,      -- of lane 0
  layer_step INTEGER NOT NULL,     -- by which both grow from lane to lane
  experts_touched REAL NOT NULL,   -- distinct experts read, summed over layers
  expert_bytes INTEGER NOT NULL,   -- expert weights read, all GPUs, by each
  weight_bytes INTEGER NOT NULL,   -- other weights read, by each
  kv_bytes INTEGER NOT NULL,       -- of lane 0; KV entries read and written
  kv_bytes_step INTEGER NOT NULL,  -- by which they grow from lane to lane
  activation_bytes INTEGER NOT NULL,   -- activations, and exchange between GPUs, by each
  queue_len INTEGER NOT NULL,      -- requests that wait for admission, at the start of each
  -- When each ended, s.
  t_end_0 REAL NOT NULL, t_end_1 REAL, t_end_2 REAL, t_end_3 REAL,
  t_end_4 REAL, t_end_5 REAL, t_end_6 REAL, t_end_7 REAL,
  t_end_8 REAL, t_end_9 REAL, t_end_10 REAL, t_end_11 REAL,
  t_end_12 REAL, t_end_13 REAL, t_end_14 REAL, t_end_15 REAL,
  -- Energy of each, all GPUs.
  energy_j_0 REAL NOT NULL, energy_j_1 REAL, energy_j_2 REAL, energy_j_3 REAL,
  energy_j_4 REAL, energy_j_5 REAL, energy_j_6 REAL, energy_j_7 REAL,
  energy_j_8 REAL, energy_j_9 REAL, energy_j_10 REAL, energy_j_11 REAL,
  energy_j_12 REAL, energy_j_13 REAL, energy_j_14 REAL, energy_j_15 REAL,
  -- Time in kernels of each.
  kernel_s_0 REAL NOT NULL, kernel_s_1 REAL, kernel_s_2 REAL, kernel_s_3 REAL,
  kernel_s_4 REAL, kernel_s_5 REAL, kernel_s_6 REAL, kernel_s_7 REAL,
  kernel_s_8 REAL, kernel_s_9 REAL, kernel_s_10 REAL, kernel_s_11 REAL,
  kernel_s_12 REAL, kernel_s_13 REAL, kernel_s_14 REAL, kernel_s_15 REAL,
  -- KV blocks used by each.
  kv_blocks_used_0 INTEGER NOT NULL, kv_blocks_used_1 INTEGER, kv_blocks_used_2 INTEGER, kv_blocks_used_3 INTEGER,
  kv_blocks_used_4 INTEGER, kv_blocks_used_5 INTEGER, kv_blocks_used_6 INTEGER, kv_blocks_used_7 INTEGER,
  kv_blocks_used_8 INTEGER, kv_blocks_used_9 INTEGER, kv_blocks_used_10 INTEGER, kv_blocks_used_11 INTEGER,
  kv_blocks_used_12 INTEGER, kv_blocks_used_13 INTEGER, kv_blocks_used_14 INTEGER, kv_blocks_used_15 INTEGER,
  PRIMARY KEY (run_id, replica, first_iter)
) WITHOUT ROWID;
CREATE TABLE kernels (
  run_id INTEGER NOT NULL,
  kernel TEXT NOT NULL,
  calls INTEGER NOT NULL,          -- launches on one GPU
  extrapolated_calls INTEGER NOT NULL, -- launches outside of what was measured
  kernel_s REAL NOT NULL,          -- on one GPU
  energy_j REAL NOT NULL,          -- above idle, all GPUs
  flops REAL NOT NULL,             -- all GPUs
  bytes REAL NOT NULL,             -- all GPUs
  PRIMARY KEY (run_id, kernel)
) WITHOUT ROWID;
INSERT INTO "kernels" VALUES(1,'all_reduce',57358,0,5.69670499687659481757e-01,8.5414477824,0.0,71178731520.0);
INSERT INTO "kernels" VALUES(1,'decode_attention',28128,0,6.98374707196976585166e-01,1.10105784483840054123e+02,6964228915200.0,871120011264.0);
INSERT INTO "kernels" VALUES(1,'embedding',622,0,4.39570635927689218336e-03,0.62006427648,0.0,5167202304.0);
INSERT INTO "kernels" VALUES(1,'expert_mlp',28368,0,1.96585997754298791306e+00,6.01310313101491146882e+02,152090563313664.0,3996982187088.0);
INSERT INTO "kernels" VALUES(1,'lm_head',622,622,1.18399713435887676826e-01,46.9008974778368,523379408896.0,387351616256.0);
INSERT INTO "kernels" VALUES(1,'o_gemm',28368,0,0.359776700236125,8.81113417383936194972e+01,33797902958592.0,508941828096.0);
INSERT INTO "kernels" VALUES(1,'prefill_attention',528,432,2.93298979650643776295e-01,2.06891512705843211967e+02,252105284911104.0,43394039808.0);
INSERT INTO "kernels" VALUES(1,'qk_norm_rope_kv',28368,0,1.38530238948936262888e-01,5.44595116032000170491e+00,0.0,45382926336.0);
INSERT INTO "kernels" VALUES(1,'qkv_gemm',28368,0,3.86369887347639884289e-01,109.644090703872,42247378698240.0,632051564544.0);
INSERT INTO "kernels" VALUES(1,'rms_norm',57358,0,2.93214596399528681924e-01,1.58460739584000034341e+01,0.0,132050616320.0);
INSERT INTO "kernels" VALUES(1,'router_gemm',28368,0,2.47304657849836961869e-01,7.3635331178496006288e+00,2112368934912.0,47280316416.0);
INSERT INTO "kernels" VALUES(1,'sampling',622,0,5.59334755291330913695e-03,0.06133352448,0.0,511112704.0);
CREATE TABLE lanes (lane INTEGER PRIMARY KEY);
INSERT INTO "lanes" VALUES(0);
INSERT INTO "lanes" VALUES(1);
INSERT INTO "lanes" VALUES(2);
INSERT INTO "lanes" VALUES(3);
INSERT INTO "lanes" VALUES(4);
INSERT INTO "lanes" VALUES(5);
INSERT INTO "lanes" VALUES(6);
INSERT INTO "lanes" VALUES(7);
INSERT INTO "lanes" VALUES(8);
INSERT INTO "lanes" VALUES(9);
INSERT INTO "lanes" VALUES(10);
INSERT INTO "lanes" VALUES(11);
INSERT INTO "lanes" VALUES(12);
INSERT INTO "lanes" VALUES(13);
INSERT INTO "lanes" VALUES(14);
INSERT INTO "lanes" VALUES(15);
CREATE TABLE requests (
  run_id INTEGER NOT NULL,
  request_id INTEGER NOT NULL,     -- position in the workload, from 0
  replica INTEGER NOT NULL,        -- the instance that served it, from 0
  status TEXT NOT NULL,            -- completed, rejected or unfinished
  arrived_at REAL NOT NULL,        -- s since the start of the run, as are all times
  num_prefill_tokens INTEGER NOT NULL,
  num_decode_tokens INTEGER NOT NULL,  -- output length, the first token included
  scheduled_at REAL,
  first_token_at REAL,
  completed_at REAL,
  itl_max_ms REAL,
  num_preemptions INTEGER NOT NULL,
  energy_j REAL NOT NULL,          -- its share of its iterations
  expert_bytes INTEGER NOT NULL,   -- its share of its iterations
  ttft_ms REAL AS ((first_token_at - arrived_at) * 1000),
  tpot_ms REAL AS (
    CASE WHEN num_decode_tokens > 1
    THEN (completed_at - first_token_at) * 1000 / (num_decode_tokens - 1) END),
  itl_mean_ms REAL AS (tpot_ms),   -- the mean gap of one request is its TPOT
  e2e_ms REAL AS ((completed_at - arrived_at) * 1000),
  scheduling_delay_ms REAL AS ((scheduled_at - arrived_at) * 1000),
  PRIMARY KEY (run_id, request_id)
) WITHOUT ROWID;
INSERT INTO "requests" VALUES(1,0,0,'completed',0.0,18432,262,0.0,6.19124011051329414812e-01,3.37821133306825194253e+00,4.19567852299858046194e+01,0,8.41547567080989097117e+02,1148398993072);
INSERT INTO "requests" VALUES(1,1,0,'completed',1.450475,15963,63,1.45494117315883841889e+00,2.16489990743858706778e+00,2.91255757784149293954e+00,3.86587628640966443063e+01,0,4.28126989660074400503e+02,401642474309);
INSERT INTO "requests" VALUES(1,2,0,'completed',1.64394,6822,430,1.97036857086425332141e+00,2.44511223001390831655e+00,5.71905908620840808254e+00,9.54134343608092905242e+00,0,9.60598422807656902519e+02,1621796604507);
INSERT INTO "requests" VALUES(2,0,0,'completed',0.0,30,107,0.0,1.31754654800237611111e-02,4.19020292453974818602e-01,9.15452822574108715514e+00,0,9.39677529943427174412e+01,143325325246);
INSERT INTO "requests" VALUES(2,1,0,'completed',0.378606,1022,316,3.78737312080648869105e-01,4.15030865423331951635e-01,1.57167733777386020577e+00,3.98942703064286696701e+00,0,2.93643527014090068407e+02,422998421954);
INSERT INTO "requests" VALUES(2,2,0,'completed',2.364077,1201,288,2.364077,2.39509954940530356282e+00,3.52652877001354,1.21742820311250277143e+01,0,2.45999882171460257048e+02,372588912401);
INSERT INTO "requests" VALUES(2,3,0,'completed',2.621294,3327,51,2.62274309797286608869e+00,2.71174325989785458546e+00,2.91326174654087077797e+00,4.14976708389680482014e+00,0,6.15955878962057497023e+01,73625183599);
INSERT INTO "requests" VALUES(3,0,0,'completed',0.0,6261,56,0.0,7.57196825301386516882e-02,4.51587083530546495868e-01,8.75903126933007456465e+01,0,1.47574146547942177676e+02,230047188948);
INSERT INTO "requests" VALUES(3,1,0,'completed',0.0,5628,27,7.57196825301386516882e-02,1.57687449896477455135e-01,3.03888666697647913395e-01,5.62370211928192631489e+00,0,1.00270901988669464794e+02,123229708979);
INSERT INTO "requests" VALUES(3,2,0,'completed',0.0,1573,965,7.57196825301386516882e-02,1.57687449896477455135e-01,4.5210396521336582154e+00,5.62370211928192631489e+00,0,1.73483559023083489586e+03,3480260592613);
CREATE TABLE runs (
  run_id INTEGER PRIMARY KEY AUTOINCREMENT,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
  version TEXT,                    -- of this program
  argv TEXT,                       -- the command line
  config TEXT,                     -- every parameter, as JSON
  config_hash TEXT,
  profile_sha256 TEXT,
  trace_sha256 TEXT,
  policy TEXT,
  model TEXT,
  hardware TEXT,
  engine TEXT,
  trace TEXT,
  seed INTEGER,
  request_rate REAL,               -- requests/s; Inf: all at once
  num_prompts INTEGER,
  tensor_parallel_size INTEGER,
  log_level TEXT,                  -- requests, iterations or kernels
  wall_s REAL,                     -- real time that the simulation took
  duration REAL,                   -- simulated s
  completed INTEGER,               -- requests
  failed INTEGER,                  -- requests
  total_input_tokens INTEGER,
  total_output_tokens INTEGER,
  request_throughput REAL,         -- requests/s
  request_goodput REAL,            -- requests/s that meet the SLO
  output_throughput REAL,          -- tokens/s
  total_token_throughput REAL,     -- tokens/s
  mean_ttft_ms REAL, median_ttft_ms REAL, std_ttft_ms REAL, p99_ttft_ms REAL,
  mean_tpot_ms REAL, median_tpot_ms REAL, std_tpot_ms REAL, p99_tpot_ms REAL,
  mean_itl_ms REAL, median_itl_ms REAL, std_itl_ms REAL, p99_itl_ms REAL,
  mean_e2el_ms REAL, median_e2el_ms REAL, std_e2el_ms REAL, p99_e2el_ms REAL,
  slo_attainment REAL,             -- share of requests, 0 to 1
  slo_attainment_ttft REAL,
  slo_attainment_tbt REAL,
  energy_j REAL,
  idle_energy_j REAL,
  energy_per_token_mj REAL,
  energy_per_output_token_mj REAL,
  energy_quality TEXT,             -- where the energy figures come from
  expert_bytes REAL,
  expert_bytes_per_request REAL,
  iterations INTEGER,
  mean_iteration_ms REAL,
  mean_decode_batch REAL,          -- sequences
  mean_in_system REAL,             -- requests
  preemptions INTEGER,
  rejected INTEGER,                -- requests
  kernel_calls INTEGER,
  extrapolated_kernel_calls INTEGER,
  kv_blocks INTEGER,               -- that KV memory holds
  extra TEXT                       -- what has no column of its own, as a JSON object
);
INSERT INTO "runs" VALUES(1,'2026-11-26T18:58:01Z','0.1.0','run --policy layered[groups=paper,cohort=4096] --engine paper --num-prompts 3 --engine-set host.per_iteration_ms=0.7 --hardware-set energy.idle_w=90 --max-duration 30 --log iterations','{"version": "0.1.0", "policy": "layered[stages=16,cohort=4096,groups=paper]", "model": "qwen3-30b-a3b", "hardware": "h100-sxm", "engine": "paper", "trace": "arxiv", "seed": 0, "request_rate": 1.0, "num_prompts": 3, "tensor_parallel_size": 2, "profile_sha256": "58e965d55fa6368112a85a6c5aa1982660142f1e219a6b2a456345be33556b3f", "trace_sha256": "819b0e886225f8e0a02eaa141ff024a54798de9b083ce54feae9cc00390c3ffc", "arrivals": "poisson", "burstiness": 1.0, "time_scale": null, "max_num_seqs": 256, "max_model_len": 32768, "max_concurrency": null, "max_duration": 30.0, "shuffle": 0, "routing": "correlated[group_sigma=1.634,request_sigma=1.486]", "draw_routing": 0, "kv_blocks": 3243, "slo_ttft_ms": 10000.0, "slo_tbt_ms": 125.0, "slo_tpot_ms": null, "slo_e2el_ms": null, "engine.kv.block_size": "256", "engine.host.per_iteration_ms": "0.7", "engine.host.partial_depth_ms": "0.0", "engine.host.per_decode_sequence_us": "0.0", "engine.host.per_prefill_sequence_us": "0.0", "engine.host.per_prefill_token_us": "4.922", "engine.host.eager_layer_us": "75.0", "engine.host.graph_layer_us": "25.0", "engine.graphs.sizes": "1,2,3,4,5,6,7,8,10,12,14,16,20,24,28,32,40,48,56,64,72,80,88,96,104,112,120,128,192,256,320,384,448,512,1024", "engine.kernel_scale.expert_mlp": "1.6", "engine.kernel_scale.attention": "1.479", "engine.kernel_scale.other": "1.745", "engine.repeats.embedding_and_head": "true", "engine.all_reduce.custom_limit_bytes": "8388608", "engine.memory.reserved_bytes": "1073741824", "engine.memory.activation_scale": "1.0", "engine.model.dequantise_experts": "true", "engine.model.window_every_layer": "true", "hardware.memory.bytes": "85520809984", "hardware.memory.bandwidth_bytes_per_s": "3350000000000.0", "hardware.memory.l2_bytes": "52428800", "hardware.compute.bf16_flops": "989400000000000.0", "hardware.compute.multiprocessors": "132", "hardware.power.limit_w": "700.0", "hardware.nvlink.bandwidth_bytes_per_s": "450000000000.0", "hardware.energy.idle_w": "90.0", "hardware.energy.per_byte_pj": "120.0", "hardware.energy.per_flop_pj": "0.8"}','dbf5687023b94e6726d3ad10bafa80587a138998fba48156a0470356bbea8359','58e965d55fa6368112a85a6c5aa1982660142f1e219a6b2a456345be33556b3f','819b0e886225f8e0a02eaa141ff024a54798de9b083ce54feae9cc00390c3ffc','layered[stages=16,cohort=4096,groups=paper]','qwen3-30b-a3b','h100-sxm','paper','arxiv',0,1.0,3,2,'requests',0.1149397,5.71905908620840808254e+00,3,0,41217,755,5.24561812490194845359e-01,5.24561812490194845359e-01,1.32014722810032367303e+02,7.33896946461281913815e+03,7.11573716167941711313e+02,7.14424907438587069924e+02,7.43482143950921283695e+01,799.437283562402,1.0087262743484419758e+01,1.05712157931682870781e+01,1.83959471713300359851e+00,1.20292391061028460799e+01,9.01687745826373543422e+00,7.46253917337996774961e+00,4.24084976993174223025e+00,26.7779797707487,2.9718043323727179085e+03,3.37821133306825186078e+03,1.10479709635611197883e+03,4.06118093114560542748e+03,1.0,1.0,1.0,2.23027297954871892211e+03,0.0,5.31371623832249824221e+01,2.95400394642214450865e+03,'estimate',3171838071888.0,1057279357296.0,622,9.19462875596207140915e+00,1.28327645051194538794e+00,2.0,0,0,287078,1054,3243,'{"max_duration":30.0,"unfinished":0,"max_output_tokens_per_s":203,"max_concurrent_requests":3}');
INSERT INTO "runs" VALUES(2,'2026-11-26T18:58:02Z','0.1.0','run --trace sharegpt --policy hybrid --arrivals gamma --burstiness 0.5 --request-rate 4 --num-prompts 4 --max-concurrency 9 --model gpt-oss-20b --tp 1 --draw-routing --shuffle --seed 7 --log requests','{"version": "0.1.0", "policy": "hybrid[chunk=2048,stages=4]", "model": "gpt-oss-20b", "hardware": "h100-sxm", "engine": "nano-vllm", "trace": "sharegpt", "seed": 7, "request_rate": 4.0, "num_prompts": 4, "tensor_parallel_size": 1, "profile_sha256": "26b1e6bf3a3fd81806d1ee423150f0cf43bcb9e758ba86e96295536dd8f6e526", "trace_sha256": "da77ede83ce883dee92c835899029570ce1ab7dd0148848b7009a87614630313", "arrivals": "gamma", "burstiness": 0.5, "time_scale": null, "max_num_seqs": 256, "max_model_len": 32768, "max_concurrency": 9, "max_duration": null, "shuffle": 1, "routing": "correlated[group_sigma=1.634,request_sigma=1.486]", "draw_routing": 1, "kv_blocks": 73273, "slo_ttft_ms": 5000.0, "slo_tbt_ms": 125.0, "slo_tpot_ms": null, "slo_e2el_ms": null, "engine.kv.block_size": "16", "engine.host.per_iteration_ms": "0.6", "engine.host.partial_depth_ms": "1.2", "engine.host.per_decode_sequence_us": "0.0", "engine.host.per_prefill_sequence_us": "0.0", "engine.host.per_prefill_token_us": "0.0", "engine.host.eager_layer_us": "75.0", "engine.host.graph_layer_us": "25.0", "engine.graphs.sizes": "1,2,3,4,5,6,7,8,10,12,14,16,20,24,28,32,40,48,56,64,72,80,88,96,104,112,120,128,192,256,320,384,448,512,1024", "engine.kernel_scale.expert_mlp": "1.0", "engine.kernel_scale.attention": "1.0", "engine.kernel_scale.other": "1.0", "engine.repeats.embedding_and_head": "true", "engine.all_reduce.custom_limit_bytes": "8388608", "engine.memory.reserved_bytes": "1073741824", "engine.memory.activation_scale": "1.0", "engine.model.dequantise_experts": "false", "engine.model.window_every_layer": "false", "hardware.memory.bytes": "85520809984", "hardware.memory.bandwidth_bytes_per_s": "3350000000000.0", "hardware.memory.l2_bytes": "52428800", "hardware.compute.bf16_flops": "989400000000000.0", "hardware.compute.multiprocessors": "132", "hardware.power.limit_w": "700.0", "hardware.nvlink.bandwidth_bytes_per_s": "450000000000.0", "hardware.energy.idle_w": "118.0", "hardware.energy.per_byte_pj": "120.0", "hardware.energy.per_flop_pj": "0.8"}','adee735b4783694d412021a51ba896d01df69ce010dc84d6574c315a4aa9df05','26b1e6bf3a3fd81806d1ee423150f0cf43bcb9e758ba86e96295536dd8f6e526','da77ede83ce883dee92c835899029570ce1ab7dd0148848b7009a87614630313','hybrid[chunk=2048,stages=4]','gpt-oss-20b','h100-sxm','nano-vllm','sharegpt',7,4.0,4,1,'requests',2.87505260000000019415e-02,3.52652877001354,4,0,5580,762,1.13425985178752486426e+00,1.13425985178752486426e+00,2.1607650176552348853e+02,1.79836899500912068099e+03,4.27680350516285230372e+01,3.37237074143177650853e+01,2.8841860249852214082e+01,88.8285280636191,3.86831254284065551019e+00,3.885493437742374212e+00,1.34050993231203063871e-01,4.02772650365586226683e+00,3.81984037806824838767e+00,3.66011610093619488282e+00,8.64445746125886316235e-01,9.54668496962180412879e+00,7.66627786695561553621e+02,7.9073603123375744415e+02,4.13722084193770058392e+02,1.19215275074105056779e+03,1.0,1.0,1.0,788.709910218782,93.5031601426845,1.24362962822261451383e+02,1.03505237561519948031e+03,'estimate',1012537843200.0,253134460800.0,715,3.82395679410825195532e+00,1.07213578500707207297e+00,1.5,0,0,139060,51787,73273,'{"unfinished":0,"max_output_tokens_per_s":267,"max_concurrent_requests":2}');
INSERT INTO "runs" VALUES(3,'2026-11-26T18:58:04Z','0.1.0','run --trace sharegpt --policy static[batch=8] --request-rate inf --num-prompts 3 --gpu-memory-utilization 0.5 --slo tpot:100 --metric-percentiles 50,90 --log requests','{"version": "0.1.0", "policy": "static[batch=8,budget=8192]", "model": "qwen3-30b-a3b", "hardware": "h100-sxm", "engine": "nano-vllm", "trace": "sharegpt", "seed": 0, "request_rate": null, "num_prompts": 3, "tensor_parallel_size": 2, "profile_sha256": "cb98c90544ff7bee7dddb12214a650d878d674a896dc1c17a4190cd3c2383b96", "trace_sha256": "da77ede83ce883dee92c835899029570ce1ab7dd0148848b7009a87614630313", "arrivals": "all-at-once", "burstiness": null, "time_scale": null, "max_num_seqs": 256, "max_model_len": 32768, "max_concurrency": null, "max_duration": null, "shuffle": 0, "routing": "correlated[group_sigma=1.634,request_sigma=1.486]", "draw_routing": 0, "kv_blocks": 13495, "slo_ttft_ms": null, "slo_tbt_ms": null, "slo_tpot_ms": 100.0, "slo_e2el_ms": null, "engine.kv.block_size": "16", "engine.host.per_iteration_ms": "0.6", "engine.host.partial_depth_ms": "1.2", "engine.host.per_decode_sequence_us": "0.0", "engine.host.per_prefill_sequence_us": "0.0", "engine.host.per_prefill_token_us": "0.0", "engine.host.eager_layer_us": "75.0", "engine.host.graph_layer_us": "25.0", "engine.graphs.sizes": "1,2,3,4,5,6,7,8,10,12,14,16,20,24,28,32,40,48,56,64,72,80,88,96,104,112,120,128,192,256,320,384,448,512,1024", "engine.kernel_scale.expert_mlp": "1.0", "engine.kernel_scale.attention": "1.0", "engine.kernel_scale.other": "1.0", "engine.repeats.embedding_and_head": "true", "engine.all_reduce.custom_limit_bytes": "8388608", "engine.memory.reserved_bytes": "1073741824", "engine.memory.activation_scale": "1.0", "engine.model.dequantise_experts": "false", "engine.model.window_every_layer": "false", "hardware.memory.bytes": "85520809984", "hardware.memory.bandwidth_bytes_per_s": "3350000000000.0", "hardware.memory.l2_bytes": "52428800", "hardware.compute.bf16_flops": "989400000000000.0", "hardware.compute.multiprocessors": "132", "hardware.power.limit_w": "700.0", "hardware.nvlink.bandwidth_bytes_per_s": "450000000000.0", "hardware.energy.idle_w": "118.0", "hardware.energy.per_byte_pj": "120.0", "hardware.energy.per_flop_pj": "0.8"}','5894818855631a2d9ab9a24787f37e25a73498e25caa8851760abd363670001f','cb98c90544ff7bee7dddb12214a650d878d674a896dc1c17a4190cd3c2383b96','da77ede83ce883dee92c835899029570ce1ab7dd0148848b7009a87614630313','static[batch=8,budget=8192]','qwen3-30b-a3b','h100-sxm','nano-vllm','sharegpt',0,NULL,3,2,'requests',0.085240573,4.5210396521336582154e+00,3,0,13462,1048,0.663564186742795,0.663564186742795,2.31805089235483080751e+02,3.20943878321265219717e+03,1.30364860774364530013e+02,1.57687449896477460244e+02,3.86399760956396889346e+01,NULL,5.6611251445200769794e+00,5.62312372312194064249e+00,9.42478849866531520618e-01,NULL,4.67504384692704810788e+00,4.47789433505141332148e+00,2.58631136685689133614e+00,NULL,1.75883846745395067048e+03,4.51587083530546522062e+02,1.95410171077287600389e+03,NULL,1.0,1.0,1.0,1.98268063876744713523e+03,0.0,1.36642359666950170544e+02,1.89187083851855663849e+03,'estimate',3833537490540.0,1277845830180.0,966,4.68016527135989424124e+00,1.08402489626556,2.0,0,0,468510,966,13495,'{"unfinished":0,"max_output_tokens_per_s":261,"max_concurrent_requests":3,"p50_ttft_ms":157.68744989647746,"p90_ttft_ms":157.68744989647746,"p50_tpot_ms":5.623123723121941,"p90_tpot_ms":6.5917869409939565,"p50_itl_ms":4.477894335051413,"p90_itl_ms":5.093079704102054,"p50_e2el_ms":451.5870835305465,"p90_e2el_ms":3707.1491384130354}');
CREATE TABLE spans (
  run_id INTEGER NOT NULL,
  request_id INTEGER NOT NULL,
  replica INTEGER NOT NULL,
  first_iter INTEGER NOT NULL,
  last_iter INTEGER NOT NULL,      -- inclusive
  phase TEXT NOT NULL,             -- prefill or decode
  completed INTEGER NOT NULL,      -- 0: a prefill that a preemption cut short, which emits no token
  PRIMARY KEY (run_id, request_id, replica, first_iter, phase)
) WITHOUT ROWID;
CREATE VIEW token_gaps AS
SELECT run_id, request_id, row_number() OVER request - 1 AS token, t,
  (t - lag(t) OVER request) * 1000 AS gap_ms
FROM token_times
WINDOW request AS (PARTITION BY run_id, request_id ORDER BY t);
CREATE VIEW request_itl AS
SELECT run_id, request_id, itl_mean_ms, itl_p99_ms, itl_max_ms
FROM (
  SELECT run_id, request_id, k, avg(gap_ms) OVER request AS itl_mean_ms,
    sum(gap_ms * max(0, 1 - abs((n - 1) * 0.99 - k))) OVER request AS itl_p99_ms,
    max(gap_ms) OVER request AS itl_max_ms
  FROM (
    SELECT run_id, request_id, gap_ms, row_number() OVER sorted - 1 AS k, count(*) OVER sorted AS n
    FROM token_gaps WHERE gap_ms IS NOT NULL
    WINDOW sorted AS (
      PARTITION BY run_id, request_id ORDER BY gap_ms
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
  WINDOW request AS (
    PARTITION BY run_id, request_id ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
WHERE k = 0;
CREATE VIEW latencies AS
SELECT run_id, 'ttft' AS metric, ttft_ms AS value_ms FROM requests WHERE status = 'completed'
UNION ALL
SELECT run_id, 'tpot', tpot_ms FROM requests WHERE status = 'completed' AND num_decode_tokens > 1
UNION ALL
SELECT run_id, 'e2el', e2e_ms FROM requests WHERE status = 'completed'
UNION ALL
SELECT run_id, 'itl', gap_ms FROM token_gaps WHERE gap_ms IS NOT NULL;
CREATE VIEW percentiles AS
SELECT run_id, metric, n AS samples, mean_ms, std_ms, min_ms, p50_ms, p90_ms, p95_ms, p99_ms, max_ms
FROM (
  SELECT run_id, metric, k, n, mean_ms,
    sqrt(sum((value_ms - mean_ms) * (value_ms - mean_ms)) OVER sample / n) AS std_ms,
    min(value_ms) OVER sample AS min_ms,
    sum(value_ms * max(0, 1 - abs((n - 1) * 0.50 - k))) OVER sample AS p50_ms,
    sum(value_ms * max(0, 1 - abs((n - 1) * 0.90 - k))) OVER sample AS p90_ms,
    sum(value_ms * max(0, 1 - abs((n - 1) * 0.95 - k))) OVER sample AS p95_ms,
    sum(value_ms * max(0, 1 - abs((n - 1) * 0.99 - k))) OVER sample AS p99_ms,
    max(value_ms) OVER sample AS max_ms
  FROM (
    SELECT run_id, metric, value_ms, row_number() OVER sorted - 1 AS k, count(*) OVER sorted AS n,
      avg(value_ms) OVER sorted AS mean_ms
    FROM latencies
    WINDOW sorted AS (
      PARTITION BY run_id, metric ORDER BY value_ms
      ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
  WINDOW sample AS (
    PARTITION BY run_id, metric ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
WHERE k = 0;
CREATE VIEW vllm_metrics AS
SELECT run_id,
  mean_ttft_ms, median_ttft_ms, std_ttft_ms, p99_ttft_ms,
  mean_tpot_ms, median_tpot_ms, std_tpot_ms, p99_tpot_ms,
  mean_itl_ms, median_itl_ms, std_itl_ms, p99_itl_ms,
  mean_e2el_ms, median_e2el_ms, std_e2el_ms, p99_e2el_ms
FROM (
  SELECT run_id, row_number() OVER run AS k,
    max(CASE metric WHEN 'ttft' THEN mean_ms END) OVER run AS mean_ttft_ms,
    max(CASE metric WHEN 'ttft' THEN p50_ms END) OVER run AS median_ttft_ms,
    max(CASE metric WHEN 'ttft' THEN std_ms END) OVER run AS std_ttft_ms,
    max(CASE metric WHEN 'ttft' THEN p99_ms END) OVER run AS p99_ttft_ms,
    max(CASE metric WHEN 'tpot' THEN mean_ms END) OVER run AS mean_tpot_ms,
    max(CASE metric WHEN 'tpot' THEN p50_ms END) OVER run AS median_tpot_ms,
    max(CASE metric WHEN 'tpot' THEN std_ms END) OVER run AS std_tpot_ms,
    max(CASE metric WHEN 'tpot' THEN p99_ms END) OVER run AS p99_tpot_ms,
    max(CASE metric WHEN 'itl' THEN mean_ms END) OVER run AS mean_itl_ms,
    max(CASE metric WHEN 'itl' THEN p50_ms END) OVER run AS median_itl_ms,
    max(CASE metric WHEN 'itl' THEN std_ms END) OVER run AS std_itl_ms,
    max(CASE metric WHEN 'itl' THEN p99_ms END) OVER run AS p99_itl_ms,
    max(CASE metric WHEN 'e2el' THEN mean_ms END) OVER run AS mean_e2el_ms,
    max(CASE metric WHEN 'e2el' THEN p50_ms END) OVER run AS median_e2el_ms,
    max(CASE metric WHEN 'e2el' THEN std_ms END) OVER run AS std_e2el_ms,
    max(CASE metric WHEN 'e2el' THEN p99_ms END) OVER run AS p99_e2el_ms
  FROM percentiles
  WINDOW run AS (
    PARTITION BY run_id ORDER BY metric ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))
WHERE k = 1;
CREATE VIEW vidur_requests AS
SELECT run_id, request_id, arrived_at,
  num_prefill_tokens AS request_num_prefill_tokens, num_decode_tokens AS request_num_decode_tokens,
  num_prefill_tokens + num_decode_tokens AS request_num_tokens, num_preemptions AS request_num_restarts,
  completed_at - arrived_at AS request_e2e_time, first_token_at - arrived_at AS prefill_e2e_time,
  scheduled_at - arrived_at AS request_scheduling_delay
FROM requests WHERE status = 'completed';
CREATE VIEW vidur_batches AS
SELECT run_id, replica AS replica_id, iter AS batch_id, batch_size,
  num_prefill_tokens + num_decode_tokens AS batch_num_tokens,
  num_prefill_tokens AS batch_num_prefill_tokens, num_decode_tokens AS batch_num_decode_tokens,
  t_end - t_start AS batch_execution_time
FROM iterations;
CREATE TRIGGER forget_run AFTER DELETE ON runs BEGIN
  DELETE FROM requests WHERE run_id = OLD.run_id;
  DELETE FROM iteration_strips WHERE run_id = OLD.run_id;
  DELETE FROM spans WHERE run_id = OLD.run_id;
  DELETE FROM kernels WHERE run_id = OLD.run_id;
  DELETE FROM iteration_kernels WHERE run_id = OLD.run_id;
END;
CREATE VIEW iteration_lanes AS
SELECT k.run_id, k.replica, k.first_iter, l.lane, k.first_iter + l.lane AS iter,
  CASE l.lane
    WHEN 0 THEN t_start WHEN 1 THEN t_end_0 WHEN 2 THEN t_end_1 WHEN 3 THEN t_end_2
    WHEN 4 THEN t_end_3 WHEN 5 THEN t_end_4 WHEN 6 THEN t_end_5 WHEN 7 THEN t_end_6
    WHEN 8 THEN t_end_7 WHEN 9 THEN t_end_8 WHEN 10 THEN t_end_9 WHEN 11 THEN t_end_10
    WHEN 12 THEN t_end_11 WHEN 13 THEN t_end_12 WHEN 14 THEN t_end_13 WHEN 15 THEN t_end_14
  END AS t_start,
  CASE l.lane
    WHEN 0 THEN t_end_0 WHEN 1 THEN t_end_1 WHEN 2 THEN t_end_2 WHEN 3 THEN t_end_3
    WHEN 4 THEN t_end_4 WHEN 5 THEN t_end_5 WHEN 6 THEN t_end_6 WHEN 7 THEN t_end_7
    WHEN 8 THEN t_end_8 WHEN 9 THEN t_end_9 WHEN 10 THEN t_end_10 WHEN 11 THEN t_end_11
    WHEN 12 THEN t_end_12 WHEN 13 THEN t_end_13 WHEN 14 THEN t_end_14 WHEN 15 THEN t_end_15
  END AS t_end,
  k.batch_size, k.num_prefill_tokens, k.num_decode_tokens,
  k.layer_begin + l.lane * k.layer_step AS layer_begin, k.layer_end + l.lane * k.layer_step AS layer_end,
  k.experts_touched, k.expert_bytes, k.weight_bytes,
  k.kv_bytes + l.lane * k.kv_bytes_step AS kv_bytes, k.activation_bytes,
  CASE l.lane
    WHEN 0 THEN energy_j_0 WHEN 1 THEN energy_j_1 WHEN 2 THEN energy_j_2 WHEN 3 THEN energy_j_3
    WHEN 4 THEN energy_j_4 WHEN 5 THEN energy_j_5 WHEN 6 THEN energy_j_6 WHEN 7 THEN energy_j_7
    WHEN 8 THEN energy_j_8 WHEN 9 THEN energy_j_9 WHEN 10 THEN energy_j_10 WHEN 11 THEN energy_j_11
    WHEN 12 THEN energy_j_12 WHEN 13 THEN energy_j_13 WHEN 14 THEN energy_j_14 WHEN 15 THEN energy_j_15
  END AS energy_j,
  CASE l.lane
    WHEN 0 THEN kernel_s_0 WHEN 1 THEN kernel_s_1 WHEN 2 THEN kernel_s_2 WHEN 3 THEN kernel_s_3
    WHEN 4 THEN kernel_s_4 WHEN 5 THEN kernel_s_5 WHEN 6 THEN kernel_s_6 WHEN 7 THEN kernel_s_7
    WHEN 8 THEN kernel_s_8 WHEN 9 THEN kernel_s_9 WHEN 10 THEN kernel_s_10 WHEN 11 THEN kernel_s_11
    WHEN 12 THEN kernel_s_12 WHEN 13 THEN kernel_s_13 WHEN 14 THEN kernel_s_14 WHEN 15 THEN kernel_s_15
  END AS kernel_s,
  CASE l.lane
    WHEN 0 THEN kv_blocks_used_0 WHEN 1 THEN kv_blocks_used_1 WHEN 2 THEN kv_blocks_used_2 WHEN 3 THEN kv_blocks_used_3
    WHEN 4 THEN kv_blocks_used_4 WHEN 5 THEN kv_blocks_used_5 WHEN 6 THEN kv_blocks_used_6 WHEN 7 THEN kv_blocks_used_7
    WHEN 8 THEN kv_blocks_used_8 WHEN 9 THEN kv_blocks_used_9 WHEN 10 THEN kv_blocks_used_10 WHEN 11 THEN kv_blocks_used_11
    WHEN 12 THEN kv_blocks_used_12 WHEN 13 THEN kv_blocks_used_13 WHEN 14 THEN kv_blocks_used_14 WHEN 15 THEN kv_blocks_used_15
  END AS kv_blocks_used,
  k.queue_len
FROM iteration_strips AS k CROSS JOIN lanes AS l ON l.lane < k.steps;
CREATE VIEW iterations AS
SELECT run_id, replica, iter, t_start, t_end, batch_size, num_prefill_tokens, num_decode_tokens,
  layer_begin, layer_end, experts_touched, expert_bytes, weight_bytes, kv_bytes, activation_bytes,
  energy_j, kernel_s, kv_blocks_used, queue_len
FROM iteration_lanes;
CREATE VIEW token_times AS
SELECT s.run_id, s.request_id,
  CASE l.lane
    WHEN 0 THEN t_end_0 WHEN 1 THEN t_end_1 WHEN 2 THEN t_end_2 WHEN 3 THEN t_end_3
    WHEN 4 THEN t_end_4 WHEN 5 THEN t_end_5 WHEN 6 THEN t_end_6 WHEN 7 THEN t_end_7
    WHEN 8 THEN t_end_8 WHEN 9 THEN t_end_9 WHEN 10 THEN t_end_10 WHEN 11 THEN t_end_11
    WHEN 12 THEN t_end_12 WHEN 13 THEN t_end_13 WHEN 14 THEN t_end_14 WHEN 15 THEN t_end_15
  END AS t
FROM spans AS s
CROSS JOIN iteration_strips AS k
  ON k.run_id = s.run_id AND k.replica = s.replica
  AND k.first_iter BETWEEN
    CASE s.phase WHEN 'decode' THEN s.first_iter ELSE s.last_iter END - 15
    AND s.last_iter
CROSS JOIN lanes AS l
  ON l.lane BETWEEN
    CASE s.phase WHEN 'decode' THEN s.first_iter ELSE s.last_iter END - k.first_iter
    AND min(s.last_iter - k.first_iter, k.steps - 1)
WHERE CASE s.phase WHEN 'decode' THEN k.num_decode_tokens > 0 ELSE s.completed END;
PRAGMA application_id = 1280526669;
PRAGMA user_version = 3;
COMMIT;
