# Tests, by kind: `unit` beside the code, the folders of tests/, and `source` for the checks of the
# source tree itself. The kind is the test's label.

# tarn_gtest(<target> <kind> SOURCES <file>... LIBRARIES <target>...)
function(tarn_gtest target kind)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES;LIBRARIES")
  add_executable(${target} ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests
    CROSSCOMPILING_EMULATOR "${TARN_TEST_LAUNCHER}")
  target_link_libraries(${target} PRIVATE
    tarn_testing ${arg_LIBRARIES} GTest::gmock GTest::gtest GTest::gtest_main)
  target_compile_definitions(${target} PRIVATE
    TARN_TEST_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  tarn_target(${target})
  set(timeout 120)
  if(kind STREQUAL "soak")
    set(timeout 7200)
  endif()
  gtest_discover_tests(${target}
    TEST_PREFIX "${TARN_TEST_PREFIX}"
    DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${timeout} LABELS ${kind})
  if(kind STREQUAL "stepper" AND soak IN_LIST TARN_TEST_KINDS)
    # The same once more, with every instruction instead of some.
    gtest_discover_tests(${target}
      TEST_PREFIX "${TARN_TEST_PREFIX}soak."
      DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 7200 LABELS soak
        ENVIRONMENT TARN_STEP_EVERY=1)
  endif()
  if(TARGET tarnd AND NOT kind STREQUAL "unit")
    add_dependencies(${target} programs)
  endif()
endfunction()

# A check of the source tree: a script that prints findings as file:line: message. Exit status 77
# means that this machine lacks what the check needs.
function(tarn_source_check name)
  add_test(NAME ${TARN_TEST_PREFIX}source.${name} COMMAND ${ARGN}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${TARN_TEST_PREFIX}source.${name} PROPERTIES
    LABELS source TIMEOUT 120 SKIP_RETURN_CODE 77)
endfunction()

function(tarn_source_checks)
  foreach(check layers sync models evidence format)
    tarn_source_check(${check} ${Python3_EXECUTABLE} scripts/check_${check}.py)
  endforeach()
  file(GLOB self_tests CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
    ${PROJECT_SOURCE_DIR}/scripts/*_test.py)
  foreach(self_test IN LISTS self_tests)
    cmake_path(GET self_test STEM stem)
    tarn_source_check(${stem} ${Python3_EXECUTABLE} -B ${self_test})
  endforeach()
endfunction()

# tarn_system_test(<name> PROGRAMS <target>... COMMAND <word>...): an end-to-end test that is a
# script; registered when the programs that it drives exist.
function(tarn_system_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PROGRAMS;COMMAND")
  foreach(program IN LISTS arg_PROGRAMS)
    if(NOT TARGET ${program})
      return()
    endif()
  endforeach()
  add_test(NAME ${TARN_TEST_PREFIX}${name} COMMAND ${arg_COMMAND}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${TARN_TEST_PREFIX}${name} PROPERTIES
    LABELS e2e TIMEOUT 120 SKIP_RETURN_CODE 77)
endfunction()

# The models of tests/models: one test for each run that a model's head names, one for its mutants,
# and the larger sizes with the soak tests. scripts/run_model.py says what these lines mean.
function(tarn_model_tests kind)
  file(GLOB models CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/models/*.pml)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${models})
  set(line "run")
  if(kind STREQUAL "soak")
    set(line "soak")
  endif()
  foreach(model IN LISTS models)
    cmake_path(GET model STEM stem)
    file(STRINGS ${model} heads REGEX "^ \\* ${line} [a-z_]+")
    list(TRANSFORM heads REPLACE "^ \\* [a-z]+ ([a-z_]+).*$" "\\1")
    if(kind STREQUAL "models")
      list(APPEND heads mutants)
    endif()
    foreach(name IN LISTS heads)
      set(test ${TARN_TEST_PREFIX}${kind}.${stem}.${name})
      add_test(NAME ${test}
        COMMAND ${Python3_EXECUTABLE} -B scripts/run_model.py ${stem} --only ${name}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      set_tests_properties(${test} PROPERTIES LABELS ${kind} TIMEOUT 1200 SKIP_RETURN_CODE 77)
    endforeach()
  endforeach()
endfunction()

# tests/fuzz with clang's fuzzer: one program and one long test each. What it finds interesting is
# kept below the build tree and tried first the next time.
function(tarn_fuzzers)
  add_custom_target(fuzzers)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/*_fuzz.cc)
  foreach(file IN LISTS files)
    cmake_path(GET file STEM stem)
    add_executable(fuzz_${stem} ${file})
    set_target_properties(fuzz_${stem} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_compile_definitions(fuzz_${stem} PRIVATE TARN_LIBFUZZER=1)
    target_link_libraries(fuzz_${stem} PRIVATE tarn_client tarn_borders)
    target_link_options(fuzz_${stem} PRIVATE -fsanitize=fuzzer)
    tarn_target(fuzz_${stem})
    add_dependencies(fuzzers fuzz_${stem})
    set(corpus ${PROJECT_BINARY_DIR}/corpus/${stem})
    file(MAKE_DIRECTORY ${corpus})
    add_test(NAME ${TARN_TEST_PREFIX}${stem}
      COMMAND fuzz_${stem} -max_total_time=600 -timeout=10 -max_len=65536 -print_final_stats=1
        -artifact_prefix=${PROJECT_BINARY_DIR}/ ${corpus})
    set_tests_properties(${TARN_TEST_PREFIX}${stem} PROPERTIES LABELS soak TIMEOUT 1200)
  endforeach()
endfunction()

function(tarn_system_tests)
  if(NOT TARN_SANITIZE)
    tarn_system_test(install_consumer PROGRAMS tarn tarnd tarn_cli
      COMMAND ${Python3_EXECUTABLE} scripts/check_install.py ${PROJECT_BINARY_DIR}
        --compiler ${CMAKE_CXX_COMPILER})
  endif()
  foreach(scope user system)
    tarn_system_test(systemd_${scope} PROGRAMS tarnd tarn_cli e2e_keeper_ledger_test
      COMMAND ${Python3_EXECUTABLE} -B tests/e2e/supervision/systemd_test.py ${scope}
        ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR}
        $<TARGET_FILE:e2e_keeper_ledger_test>)
  endforeach()
  tarn_system_test(example_spectrometer
    PROGRAMS tarnd tarn_cli spectrometer-source spectrometer-transformer spectrometer-sink
    COMMAND scripts/run_spectrometer.sh --once --bin ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}
      --picture ${PROJECT_BINARY_DIR}/spectrogram.png)
  if(TEST ${TARN_TEST_PREFIX}example_spectrometer)
    # Not the domain of somebody who runs the example by hand at the same time.
    string(MAKE_C_IDENTIFIER "spectrometer_test_${TARN_TEST_PREFIX}" application)
    set_tests_properties(${TARN_TEST_PREFIX}example_spectrometer PROPERTIES
      ENVIRONMENT TARN_APPLICATION=${application})
  endif()
endfunction()

function(tarn_tests)
  if(NOT TARN_TEST_KINDS)
    return()
  endif()
  if(TARN_FUZZER)
    tarn_fuzzers()
    return()
  endif()
  find_package(GTest REQUIRED)
  find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)
  include(GoogleTest)

  get_property(layers GLOBAL PROPERTY TARN_LAYERS)
  if(unit IN_LIST TARN_TEST_KINDS)
    foreach(layer IN LISTS layers)
      tarn_glob(src/${layer} found)
      if(found_tests)
        tarn_gtest(tarn_${layer}_tests unit SOURCES ${found_tests} LIBRARIES tarn_${layer})
      endif()
    endforeach()
  endif()

  foreach(kind crash stress fuzz conformance e2e stepper soak)
    if(NOT kind IN_LIST TARN_TEST_KINDS)
      continue()
    endif()
    file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/*.cc
      ${PROJECT_SOURCE_DIR}/tests/${kind}/*/*.cc)
    foreach(file IN LISTS files)
      cmake_path(GET file STEM stem)
      tarn_gtest(${kind}_${stem} ${kind} SOURCES ${file}
        LIBRARIES tarn_client tarn_daemon tarn_shm tarn_wire)
      target_include_directories(${kind}_${stem} PRIVATE ${PROJECT_SOURCE_DIR})
      if(file MATCHES "/picklingtools/")
        target_link_libraries(${kind}_${stem} PRIVATE tarn_picklingtools)
      endif()
      if(kind STREQUAL "fuzz")
        target_link_libraries(${kind}_${stem} PRIVATE tarn_borders)
      endif()
    endforeach()
  endforeach()

  tarn_picklingtools_tests()
  if(e2e IN_LIST TARN_TEST_KINDS)
    tarn_system_tests()
  endif()
  foreach(kind models soak)
    if(kind IN_LIST TARN_TEST_KINDS)
      tarn_model_tests(${kind})
    endif()
  endforeach()
  if(source IN_LIST TARN_TEST_KINDS)
    tarn_source_checks()
  endif()
endfunction()
