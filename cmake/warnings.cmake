# tarn_warnings(<target>): the warnings that every one of our own targets is compiled with.
# They hold for GCC 12 and clang 19 alike; headers of other projects are system headers.
function(tarn_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
    # GCC's thread sanitizer does not see fences. We know; the sanitizer lane documents it.
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<BOOL:${TARN_SANITIZE}>>:-Wno-tsan>
    $<$<BOOL:${TARN_WERROR}>:-Werror>)
endfunction()
