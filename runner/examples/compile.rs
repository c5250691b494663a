//! What `funcatron compile` is, as a program of its own: the compiler of the tests.

fn main() -> std::process::ExitCode {
    runner::compile::child_main()
}
