# Programs in Rust. Debian packages the sources of crates, so nothing is downloaded; its own compiler
# is taken, which its sources are for.

# cargo_program(NAME CRATE PROGRAMS): the program of the folder NAME, as the target NAME_program,
# which is added to the list PROGRAMS. Nothing if cargo, rustc or the sources of CRATE ("tokio-1.*")
# are absent.
function(cargo_program name crate programs)
  set(registry /usr/share/cargo/registry)
  find_program(DEBIAN_CARGO cargo PATHS /usr/bin NO_DEFAULT_PATH)
  find_program(DEBIAN_RUSTC rustc PATHS /usr/bin NO_DEFAULT_PATH)
  file(GLOB sources ${registry}/${crate})
  if(NOT DEBIAN_CARGO OR NOT DEBIAN_RUSTC OR NOT sources)
    return()
  endif()
  set(copy ${CMAKE_CURRENT_BINARY_DIR}/${name})
  set(program ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name})
  add_custom_command(OUTPUT ${program}
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${copy}
    COMMAND ${CMAKE_COMMAND} -E env CARGO_HOME=${copy}/home RUSTC=${DEBIAN_RUSTC}
            ${DEBIAN_CARGO} build --offline --quiet
            --config "source.crates-io.replace-with=\"debian\""
            --config "source.debian.directory=\"${registry}\""
            --manifest-path ${copy}/Cargo.toml --target-dir ${copy}/target
    COMMAND ${CMAKE_COMMAND} -E copy ${copy}/target/debug/${name} ${program}
    DEPENDS ${name}/Cargo.toml ${name}/src/main.rs
    VERBATIM)
  add_custom_target(${name}_program DEPENDS ${program})
  set(${programs} ${${programs}} ${name}_program PARENT_SCOPE)
endfunction()
