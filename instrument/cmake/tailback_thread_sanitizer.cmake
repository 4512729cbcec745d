# tailback_thread_sanitizer(TARGET): compiles a target for ThreadSanitizer, with stacks that Tailback
# can read, and links the pairing library into it if it is an executable: then Tailback's report
# contains what ThreadSanitizer finds. Call it for the executable's own libraries as well:
# ThreadSanitizer checks only what is compiled for it.
function(tailback_thread_sanitizer target)
  if(NOT TARGET ${target})
    message(FATAL_ERROR "tailback_thread_sanitizer(${target}): there is no such target; call it "
                        "after add_executable() or add_library()")
  endif()
  get_target_property(type ${target} TYPE)
  get_target_property(imported ${target} IMPORTED)
  get_target_property(aliased ${target} ALIASED_TARGET)
  if(imported OR aliased OR type MATCHES "^(INTERFACE_LIBRARY|UTILITY)$")
    message(FATAL_ERROR "tailback_thread_sanitizer(${target}): compiles nothing (an alias, or an "
                        "imported or interface target); name the target that compiles")
  endif()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  foreach(language IN ITEMS C CXX)
    if(language IN_LIST languages AND NOT CMAKE_${language}_COMPILER_ID MATCHES "^(GNU|Clang)$")
      message(FATAL_ERROR "tailback_thread_sanitizer(${target}): ${CMAKE_${language}_COMPILER} is "
                          "${CMAKE_${language}_COMPILER_ID}; use gcc or clang")
    endif()
  endforeach()

  set(compiled "$<COMPILE_LANGUAGE:C,CXX>")
  target_compile_options(${target} PRIVATE
    "$<${compiled}:-fsanitize=thread;-g;-fno-omit-frame-pointer;-fno-optimize-sibling-calls>")
  if(type MATCHES "^(STATIC_LIBRARY|OBJECT_LIBRARY)$")
    target_link_options(${target} INTERFACE -fsanitize=thread)
    return()
  endif()
  target_link_options(${target} PRIVATE -fsanitize=thread)
  if(type STREQUAL "EXECUTABLE")
    if(NOT EXISTS "${tailback_PAIRING_OBJECT}")
      message(FATAL_ERROR "tailback_thread_sanitizer(${target}): the pairing library is missing "
                          "(${tailback_PAIRING_OBJECT}); build or install tailback again")
    endif()
    # As a source, for targets may link with or without PRIVATE and PUBLIC, not both.
    target_sources(${target} PRIVATE "${tailback_PAIRING_OBJECT}")
  endif()
endfunction()
