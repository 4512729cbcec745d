# Headers that most tests include, parsed once: a cold build takes less CPU time.
#
# They are for unoptimized code. In optimized code gcc 12 warns falsely of headers that are precompiled
# (-Warray-bounds in std::string), and is silent about the same headers as text.
#
# They are off by default with ccache, which takes them only if it is told to be sloppy
# (sloppiness = pch_defines,time_macros), and whose cache of plain files is faster still. A build with
# -DTAILBACK_PRECOMPILED_HEADERS=OFF shows which file includes too little; .ci/tree does one.
set(precompile ON)
if("${CMAKE_CXX_COMPILER_LAUNCHER}" MATCHES "ccache")
  set(precompile OFF)
endif()
option(TAILBACK_PRECOMPILED_HEADERS "Parse the headers that most files include only once" ${precompile})

# tailback_precompile(HOLDER HEADER…): the target HOLDER, compiled with the flags of those that share
# its headers, has them precompiled.
function(tailback_precompile holder)
  if(TAILBACK_PRECOMPILED_HEADERS)
    target_precompile_headers(${holder} PRIVATE ${ARGN})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # For ccache; and the headers' own memory is no reason to collect garbage.
      target_compile_options(${holder} PRIVATE -fpch-preprocess --param=ggc-min-heapsize=1048576)
    endif()
  endif()
endfunction()

# tailback_use_precompiled(HOLDER TARGET…): the targets use the headers of HOLDER. They must be of its
# kind (library or program), as position-independent code of the two differs.
function(tailback_use_precompiled holder)
  if(TAILBACK_PRECOMPILED_HEADERS)
    foreach(target ${ARGN})
      target_precompile_headers(${target} REUSE_FROM ${holder})
      if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        target_compile_options(${target} PRIVATE -fpch-preprocess
                                                 --param=ggc-min-heapsize=1048576)
      endif()
    endforeach()
  endif()
endfunction()
