//! `hello PORT`: hyper and nothing else.

use std::env;

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let port = env::args().nth(1).context("usage: hello PORT")?.parse()?;
    bench::block_on(bench::serve(port, || async { Ok(bench::hello()) }))?;
    Ok(())
}
