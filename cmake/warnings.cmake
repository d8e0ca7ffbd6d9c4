# tarn_warnings(<target>): the warnings that every one of our own targets is compiled with.
# They hold for GCC 12 and clang 19 alike; headers of other projects are system headers.
function(tarn_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
    $<$<BOOL:${TARN_WERROR}>:-Werror>)
  if(TARN_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # The thread sanitizer does not see fences, and GCC says so at each of them.
    target_compile_options(${target} PRIVATE -Wno-tsan)
  endif()
endfunction()
