# Applies TARN_SANITIZE to everything in this build tree, and finds what the tests need to run so.
if(TARN_SANITIZE)
  add_compile_options(-fsanitize=${TARN_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TARN_SANITIZE})
  if(TARN_FUZZER)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
  if(TARN_SANITIZE MATCHES "undefined")
    # The check of virtual tables looks at memory by way of a pipe: where a test leaves no
    # descriptors to open, it takes every object for a wrong one.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()

# GCC 12's thread sanitizer gives up where the kernel randomises addresses widely
# (vm.mmap_rnd_bits above 28), so its tests run with randomisation off where that is permitted.
set(TARN_TEST_LAUNCHER "")
if(TARN_SANITIZE MATCHES "thread")
  execute_process(COMMAND setarch -R true RESULT_VARIABLE setarch_status OUTPUT_QUIET ERROR_QUIET)
  if(setarch_status EQUAL 0)
    set(TARN_TEST_LAUNCHER setarch -R)
  endif()
endif()
