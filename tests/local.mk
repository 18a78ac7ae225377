# Tests mirror the rooms: tests/dsl/test_lexer.c for dsl/lexer.c. A new test is one line in C_TESTS, a new fuzz target
# one line in FUZZ_TARGETS. Keep the lists alphabetical: a line each merges by itself.
#
# A test program needs no more than its line: its source is NAME.c, and LDADD below links every room into it. It prints
# TAP, reads its data from $(srcdir) (test_path() in tap.h) and is run in the build directory.
C_TESTS =
C_TESTS += %D%/base/test_arena
C_TESTS += %D%/base/test_buf
C_TESTS += %D%/base/test_error
C_TESTS += %D%/base/test_json_scan
C_TESTS += %D%/base/test_map
C_TESTS += %D%/base/test_markup
C_TESTS += %D%/base/test_rfc3339
C_TESTS += %D%/base/test_source
C_TESTS += %D%/base/test_utf8
C_TESTS += %D%/base/test_value
C_TESTS += %D%/base/test_yaml
C_TESTS += %D%/dsl/test_argo
C_TESTS += %D%/dsl/test_check
C_TESTS += %D%/dsl/test_complete
C_TESTS += %D%/dsl/test_completeness
C_TESTS += %D%/dsl/test_component_card
C_TESTS += %D%/dsl/test_component_yaml
C_TESTS += %D%/dsl/test_diag
C_TESTS += %D%/dsl/test_eval
C_TESTS += %D%/dsl/test_format
C_TESTS += %D%/dsl/test_graph
C_TESTS += %D%/dsl/test_graph_json
C_TESTS += %D%/dsl/test_layout
C_TESTS += %D%/dsl/test_lexer
C_TESTS += %D%/dsl/test_lower
C_TESTS += %D%/dsl/test_package
C_TESTS += %D%/dsl/test_parse
C_TESTS += %D%/dsl/test_resolve
C_TESTS += %D%/dsl/test_scope
C_TESTS += %D%/dsl/test_svg
C_TESTS += %D%/dsl/test_tables
C_TESTS += %D%/dsl/test_tree
C_TESTS += %D%/dsl/test_type
C_TESTS += %D%/dsl/test_yaml_write
C_TESTS += %D%/kernel/test_connection
C_TESTS += %D%/kernel/test_dispatch
C_TESTS += %D%/kernel/test_doctor
C_TESTS += %D%/kernel/test_empty_log
C_TESTS += %D%/kernel/test_history
C_TESTS += %D%/kernel/test_install
C_TESTS += %D%/kernel/test_iopub_queue
C_TESTS += %D%/kernel/test_json_text
C_TESTS += %D%/kernel/test_progress
C_TESTS += %D%/kernel/test_proto
C_TESTS += %D%/kernel/test_redact
C_TESTS += %D%/kernel/test_resolver
C_TESTS += %D%/kernel/test_target
C_TESTS += %D%/kernel/test_sweep
C_TESTS += %D%/runtime/cluster/test_control
C_TESTS += %D%/runtime/cluster/test_door_argo
C_TESTS += %D%/runtime/cluster/test_door_kube
C_TESTS += %D%/runtime/cluster/test_door_kube_log
C_TESTS += %D%/kernels/test_cuda_plugin
C_TESTS += %D%/kernels/test_gpu_attention
C_TESTS += %D%/kernels/test_gradients
C_TESTS += %D%/kernels/test_ops
C_TESTS += %D%/kernels/test_team
C_TESTS += %D%/runtime/cluster/test_api_stream
C_TESTS += %D%/runtime/cluster/test_forward
C_TESTS += %D%/runtime/cluster/test_frames
C_TESTS += %D%/runtime/cluster/test_dex
C_TESTS += %D%/runtime/cluster/test_google
C_TESTS += %D%/runtime/cluster/test_foreign
C_TESTS += %D%/runtime/cluster/test_http
C_TESTS += %D%/runtime/cluster/test_http_stream
C_TESTS += %D%/runtime/cluster/test_kfp
C_TESTS += %D%/runtime/cluster/test_kube
C_TESTS += %D%/runtime/cluster/test_kubeconfig
C_TESTS += %D%/runtime/cluster/test_pods
C_TESTS += %D%/runtime/cluster/test_prepare
C_TESTS += %D%/runtime/cluster/test_quantity
C_TESTS += %D%/runtime/cluster/test_project
C_TESTS += %D%/runtime/cluster/test_recorded_runs
C_TESTS += %D%/runtime/cluster/test_remote
C_TESTS += %D%/runtime/cluster/test_why
C_TESTS += %D%/runtime/cluster/test_package_read
C_TESTS += %D%/runtime/cluster/test_workflow
C_TESTS += %D%/runtime/cluster/test_watch
C_TESTS += %D%/runtime/cluster/test_watch_objects
C_TESTS += %D%/runtime/cluster/test_watch_workflow
C_TESTS += %D%/runtime/cluster/test_s3
C_TESTS += %D%/runtime/cluster/test_websocket
C_TESTS += %D%/runtime/test_container
C_TESTS += %D%/runtime/test_engine
C_TESTS += %D%/runtime/test_local
C_TESTS += %D%/runtime/test_log
C_TESTS += %D%/runtime/test_store
C_TESTS += %D%/runtime/test_store_logs
C_TESTS += %D%/step/test_csv
C_TESTS += %D%/step/test_memory
C_TESTS += %D%/step/test_rows
C_TESTS += %D%/test_cases
C_TESTS += %D%/train/test_bleu
C_TESTS += %D%/train/test_rouge
C_TESTS += %D%/train/test_bpe
C_TESTS += %D%/train/test_checkpoint
C_TESTS += %D%/train/test_loader_plan
C_TESTS += %D%/train/test_model
C_TESTS += %D%/train/test_onnx
C_TESTS += %D%/train/test_parity
C_TESTS += %D%/train/test_precision
C_TESTS += %D%/train/test_proto
C_TESTS += %D%/train/test_safetensors
C_TESTS += %D%/train/test_search
C_TESTS += %D%/train/test_shard
C_TESTS += %D%/train/test_tfrecord
C_TESTS += %D%/train/test_trainer
C_TESTS += %D%/train/test_weights

FUZZ_TARGETS =
FUZZ_TARGETS += %D%/fuzz/fuzz_cell
FUZZ_TARGETS += %D%/fuzz/fuzz_component
FUZZ_TARGETS += %D%/fuzz/fuzz_connection
FUZZ_TARGETS += %D%/fuzz/fuzz_csv
FUZZ_TARGETS += %D%/fuzz/fuzz_dispatch
FUZZ_TARGETS += %D%/fuzz/fuzz_engine
FUZZ_TARGETS += %D%/fuzz/fuzz_frames
FUZZ_TARGETS += %D%/fuzz/fuzz_json_scan
FUZZ_TARGETS += %D%/fuzz/fuzz_layout
FUZZ_TARGETS += %D%/fuzz/fuzz_model_config
FUZZ_TARGETS += %D%/fuzz/fuzz_package
FUZZ_TARGETS += %D%/fuzz/fuzz_parse
FUZZ_TARGETS += %D%/fuzz/fuzz_progress
FUZZ_TARGETS += %D%/fuzz/fuzz_rows
FUZZ_TARGETS += %D%/fuzz/fuzz_safetensors
FUZZ_TARGETS += %D%/fuzz/fuzz_retry
FUZZ_TARGETS += %D%/fuzz/fuzz_score
FUZZ_TARGETS += %D%/fuzz/fuzz_shard
FUZZ_TARGETS += %D%/fuzz/fuzz_sign_in
FUZZ_TARGETS += %D%/fuzz/fuzz_tfrecord
FUZZ_TARGETS += %D%/fuzz/fuzz_tokenizer
FUZZ_TARGETS += %D%/fuzz/fuzz_tokenizer_train
FUZZ_TARGETS += %D%/fuzz/fuzz_websocket
FUZZ_TARGETS += %D%/fuzz/fuzz_wire
FUZZ_TARGETS += %D%/fuzz/fuzz_workflow
FUZZ_TARGETS += %D%/fuzz/fuzz_yaml

SCRIPT_TESTS =
SCRIPT_TESTS += %D%/argo/test_codelab.py
SCRIPT_TESTS += %D%/argo/test_components.py
SCRIPT_TESTS += %D%/argo/test_differences.py
SCRIPT_TESTS += %D%/argo/test_expressions.py
SCRIPT_TESTS += %D%/argo/test_hostile.py
SCRIPT_TESTS += %D%/argo/test_sdk.py
SCRIPT_TESTS += %D%/argo/test_valid.py
SCRIPT_TESTS += %D%/docs/run_examples.py
SCRIPT_TESTS += %D%/docs/test_fences.py
SCRIPT_TESTS += %D%/docs/test_picture.py
SCRIPT_TESTS += %D%/dsl/component_json.py
SCRIPT_TESTS += %D%/dsl/graph_json_doc.py
SCRIPT_TESTS += %D%/dsl/layout_vs_dot.py
SCRIPT_TESTS += %D%/dsl/svg_wellformed.py
SCRIPT_TESTS += %D%/dsl/test_yaml_readers.py
SCRIPT_TESTS += %D%/kernel/protocol/test_background.py
SCRIPT_TESTS += %D%/kernel/protocol/test_clients.py
SCRIPT_TESTS += %D%/kernel/protocol/test_execute.py
SCRIPT_TESTS += %D%/kernel/protocol/test_lateen.py
SCRIPT_TESTS += %D%/kernel/protocol/test_life.py
SCRIPT_TESTS += %D%/kernel/protocol/test_progress.py
SCRIPT_TESTS += %D%/kernel/protocol/test_requests.py
SCRIPT_TESTS += %D%/kernel/protocol/test_sweep.py
SCRIPT_TESTS += %D%/kernel/protocol/test_wire.py
SCRIPT_TESTS += %D%/kernel/test_bundle.py
SCRIPT_TESTS += %D%/kernel/test_cli.py
SCRIPT_TESTS += %D%/kernel/test_cluster.py
SCRIPT_TESTS += %D%/kernel/test_jupyter_kernel_test.py
SCRIPT_TESTS += %D%/kernel/test_libraries.py
SCRIPT_TESTS += %D%/kernel/test_secrets.py
SCRIPT_TESTS += %D%/kernel/test_tensorboard.py
SCRIPT_TESTS += %D%/lint/includes.py
SCRIPT_TESTS += %D%/lint/size.py
SCRIPT_TESTS += %D%/lint/test_lint.py
SCRIPT_TESTS += %D%/lint/words.py
SCRIPT_TESTS += %D%/notebooks/test_notebooks.py
SCRIPT_TESTS += %D%/runtime/test_kernel_runs.py
SCRIPT_TESTS += %D%/runtime/test_programs.py
SCRIPT_TESTS += %D%/semantics/test_here.py
SCRIPT_TESTS += %D%/step/test_score.py
SCRIPT_TESTS += %D%/step/test_steps.sh
SCRIPT_TESTS += %D%/train/score_vs_peers.py
SCRIPT_TESTS += %D%/train/bpe_vs_tokenizers.py
SCRIPT_TESTS += %D%/train/export_vs_onnxruntime.py
SCRIPT_TESTS += %D%/train/export_vs_transformers.py
SCRIPT_TESTS += %D%/train/models_vs_transformers.py
SCRIPT_TESTS += %D%/train/parity_vs_torch.py
SCRIPT_TESTS += %D%/train/subword_vs_t2t.py
SCRIPT_TESTS += %D%/train/test_crash.py
SCRIPT_TESTS += %D%/train/test_export.py
SCRIPT_TESTS += %D%/train/test_bad_data.py
SCRIPT_TESTS += %D%/train/test_generate.py
SCRIPT_TESTS += %D%/train/test_subword.py
SCRIPT_TESTS += %D%/train/test_t2t_metrics.py
SCRIPT_TESTS += %D%/train/test_t2t.py
SCRIPT_TESTS += %D%/train/test_token_steps.py
SCRIPT_TESTS += %D%/train/test_train.py

# Against a cluster, by `make check-cluster` only.
CLUSTER_TESTS =
CLUSTER_TESTS += %D%/cluster/test_cells.py
CLUSTER_TESTS += %D%/cluster/test_codelab.py
CLUSTER_TESTS += %D%/cluster/test_argo_door.py
CLUSTER_TESTS += %D%/cluster/test_control.py
CLUSTER_TESTS += %D%/cluster/test_dry_run.py
CLUSTER_TESTS += %D%/cluster/test_forward.py
CLUSTER_TESTS += %D%/cluster/test_levels.py
CLUSTER_TESTS += %D%/cluster/test_remote.py
CLUSTER_TESTS += %D%/semantics/test_argo.py
CLUSTER_TESTS += %D%/semantics/test_controller.py

C_CLUSTER_TESTS =
C_CLUSTER_TESTS += %D%/runtime/cluster/test_kfp_server

check_PROGRAMS += $(C_TESTS) $(C_CLUSTER_TESTS) $(FUZZ_TARGETS)

# Pictures: graphs as data, the promises of the layout, and a tool for the scripts.
check_PROGRAMS += %D%/dsl/layout_tool
LAYOUT_FIXTURES = \
	%D%/dsl/graph_fixtures.c %D%/dsl/graph_fixtures.h \
	%D%/dsl/layout_check.c %D%/dsl/layout_check.h
check_PROGRAMS += %D%/dsl/graph_tool
GRAPH_PLAN = %D%/dsl/graph_plan.c %D%/dsl/graph_plan.h
%C%_dsl_graph_tool_SOURCES = %D%/dsl/graph_tool.c $(GRAPH_PLAN)
%C%_dsl_test_graph_SOURCES = %D%/dsl/test_graph.c $(GRAPH_PLAN)
%C%_dsl_test_graph_json_SOURCES = %D%/dsl/test_graph_json.c $(GRAPH_PLAN)
%C%_dsl_test_svg_SOURCES = %D%/dsl/test_svg.c $(GRAPH_PLAN)
%C%_dsl_test_tree_SOURCES = %D%/dsl/test_tree.c $(GRAPH_PLAN)
%C%_dsl_layout_tool_SOURCES = %D%/dsl/layout_tool.c $(LAYOUT_FIXTURES)
%C%_dsl_test_layout_SOURCES = %D%/dsl/test_layout.c $(LAYOUT_FIXTURES)
%C%_fuzz_fuzz_layout_SOURCES = %D%/fuzz/fuzz_layout.c %D%/dsl/layout_check.c %D%/dsl/layout_check.h

# System calls that fail, for test_crash.py.
check_PROGRAMS += %D%/train/fail_call
# Small trainings.
TRAININGS = %D%/train/trainings.c %D%/train/trainings.h
%C%_train_test_checkpoint_SOURCES = %D%/train/test_checkpoint.c $(TRAININGS)
%C%_train_test_trainer_SOURCES = %D%/train/test_trainer.c $(TRAININGS)

# Logits for the scripts.
check_PROGRAMS += %D%/train/logits_tool
# Tokenizers for the scripts.
check_PROGRAMS += %D%/train/bpe_tool
# Tensor2Tensor's measures, for their test.
check_PROGRAMS += %D%/train/metrics_tool
# Attention, timed.
check_PROGRAMS += %D%/kernels/attention_tool
# Steps of training, timed, for bench/train.py.
check_PROGRAMS += %D%/train/decode_tool
check_PROGRAMS += %D%/train/step_tool

# The cost of watching a workflow, for bench/cluster/status.py.
check_PROGRAMS += %D%/runtime/cluster/status_tool

# Our numbers of cuBLASLt against its own header, where the toolkit has it.
if CUDA
check_DATA = %D%/kernels/cublaslt_numbers.same
CLEANFILES += %D%/kernels/cublaslt_numbers.same
%D%/kernels/cublaslt_numbers.same: %D%/kernels/cublaslt_numbers.cc kernels/cuda/cublaslt.h
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(NVCC) $(NVCC_FLAGS) -x cu -I$(builddir) -I$(srcdir) -c $(srcdir)/%D%/kernels/cublaslt_numbers.cc -o $@
endif

# The CUDA kernels on the host.
if HAVE_CXX
EMULATED = libemulated.a
C_TESTS += %D%/kernels/test_cuda_attention
C_TESTS += %D%/kernels/test_cuda_choices
C_TESTS += %D%/kernels/test_emulate
C_TESTS += %D%/train/test_cuda_model
endif
%C%_kernels_test_cuda_attention_SOURCES = %D%/kernels/test_cuda_attention.cc %D%/kernels/attention_cases.h
%C%_kernels_test_cuda_attention_LDADD = libemulated.a $(LDADD)
%C%_kernels_test_cuda_choices_SOURCES = %D%/kernels/test_cuda_choices.cc
%C%_kernels_test_cuda_choices_LDADD = libemulated.a $(LDADD)
%C%_kernels_test_emulate_SOURCES = %D%/kernels/test_emulate.cc
%C%_kernels_test_gpu_attention_LDADD = $(EMULATED) $(LDADD)
%C%_kernels_test_ops_LDADD = $(EMULATED) $(LDADD)
%C%_train_test_cuda_model_LDADD = $(EMULATED) $(LDADD)
%C%_kernels_test_emulate_LDADD = libemulated.a $(LDADD)

# Runs on clusters, for the scripts.
check_PROGRAMS += %D%/runtime/cluster/remote_tool
%C%_runtime_cluster_test_remote_SOURCES = %D%/runtime/cluster/test_remote.c $(GRAPH_PLAN)

# A kernel for the tests of the protocol. It has a main() of its own and is no test.
check_PROGRAMS += %D%/kernel/echo_kernel
dist_noinst_SCRIPTS += $(SCRIPT_TESTS) $(CLUSTER_TESTS) %D%/cluster/check %D%/cluster/cluster

check_LIBRARIES += %D%/libtests.a
%C%_libtests_a_SOURCES = \
	%D%/cases.c %D%/cases.h \
	%D%/dsl/ast_dump.c %D%/dsl/ast_dump.h \
	%D%/dsl/plan_builder.c %D%/dsl/plan_builder.h \
	%D%/dsl/plan_dump.c %D%/dsl/plan_dump.h \
	%D%/dsl/scope_case.c %D%/dsl/scope_case.h \
	%D%/kernel/echo_language.c %D%/kernel/echo_language.h \
	%D%/kernel/mock_transport.c %D%/kernel/mock_transport.h \
	%D%/runtime/cluster/api_server.c %D%/runtime/cluster/api_server.h \
	%D%/kernels/arrays.c %D%/kernels/arrays.h \
	%D%/kernels/pair.c %D%/kernels/pair.h \
	%D%/runtime/cluster/recorded.c %D%/runtime/cluster/recorded.h \
	%D%/runtime/cluster/recorded_private.h %D%/runtime/cluster/recorded_stream.c \
	%D%/runtime/plan_fixtures.c %D%/runtime/plan_fixtures.h %D%/runtime/plan_fixtures_private.h \
	%D%/runtime/plan_fixtures_settle.c \
	%D%/tap.c %D%/tap.h %D%/text.c %D%/text.h
%C%_libtests_a_CPPFLAGS = $(AM_CPPFLAGS) -DTEST_SRCDIR='"$(abs_srcdir)"' -DTEST_BUILDDIR='"$(abs_builddir)"'
if FUZZING
REPLAY_LIBS = $(FUZZ_LIBS)
else
check_LIBRARIES += %D%/fuzz/libreplay.a
%C%_fuzz_libreplay_a_SOURCES = %D%/fuzz/replay.c
REPLAY_LIBS = %D%/fuzz/libreplay.a
endif

# A main() comes out of libreplay.a (or libFuzzer) only for programs without one of their own: the fuzz targets.
LDADD = $(REPLAY_LIBS) %D%/libtests.a libkernel.a libruntime.a libkernels.a libdsl.a libbase.a $(LATEEN_LIBS)

# A program gets its rule by standing here; one that needs a cluster is skipped, loudly, where none is.
TESTS = $(C_TESTS) $(C_CLUSTER_TESTS) $(SCRIPT_TESTS)
if !FUZZING
TESTS += $(FUZZ_TARGETS)
endif
TEST_EXTENSIONS = .py .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/aux/tap-driver.sh --merge
LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_COMPILER = $(PYTHON3)
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = bash
AM_TESTS_ENVIRONMENT = \
	LC_ALL=C.UTF-8; export LC_ALL; \
	srcdir='$(abs_srcdir)'; builddir='$(abs_builddir)'; export srcdir builddir; \
	LATEEN='$(abs_builddir)/lateen'; NVCC='$(NVCC)'; export LATEEN NVCC;

# Takes what the programs say now as the expected text of every golden file. Read the diff before you commit it.
update-golden: all
	UPDATE_GOLDEN=1 $(MAKE) $(AM_MAKEFLAGS) check
.PHONY: update-golden

# Builds a cluster (hacking.md says what that takes), runs the tests that need one, and ends it.
check-cluster: all $(C_CLUSTER_TESTS) %D%/runtime/cluster/remote_tool
	@MAKE='$(MAKE)' $(srcdir)/tests/cluster/check $(CLUSTER_TESTS) $(C_CLUSTER_TESTS)
.PHONY: check-cluster

# All fuzz targets and nothing else: what a build with --enable-fuzzing is for.
fuzz-targets: $(FUZZ_TARGETS)
.PHONY: fuzz-targets

# Argo's validator, which tests/argo builds where there is a go.
clean-local: clean-argo
clean-argo:
	rm -rf build-argo
.PHONY: clean-argo
# The test programs, not run.
tests-built: $(check_LIBRARIES) $(check_PROGRAMS)
.PHONY: tests-built
