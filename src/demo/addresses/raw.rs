//! What safe Rust has no words for: a load from a page that was mapped and never touched, and the bounds of one's stack.

use memmap2::MmapRaw;

/// Loads the byte at `offset` of `map`: the access itself is what is looked at.
pub(super) fn touch(map: &MmapRaw, offset: usize) -> u8 {
    assert!(offset < map.len(), "{offset} of {}", map.len());
    // SAFETY: the byte is in the mapping, which lives as long as `map`; any value will do, and no reference is made, so it
    // may change meanwhile. The file is the one that this process executes: it cannot be written to or cut (ETXTBSY).
    #[expect(unsafe_code, reason = "a first touch of a page that a file backs")]
    unsafe {
        map.as_ptr().add(offset).read_volatile()
    }
}

/// Where the stack of the thread that calls this begins and ends, without its guard; none where the C library does not
/// know (pthread_getattr_np(3)).
pub(super) fn own_stack() -> Option<(u64, u64)> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut from, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: the calling thread exists; the attributes are read only after they were filled in, and are given back once.
    #[expect(unsafe_code, reason = "pthread_getattr_np")]
    let known = unsafe {
        libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) == 0 && {
            let got = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut from, &raw mut size);
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            got == 0
        }
    };
    let from = from.addr() as u64;
    known.then(|| (from, from.saturating_add(size as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use memmap2::MmapOptions;
    use std::fs::File;

    #[test]
    fn what_is_touched_is_what_the_file_holds() {
        let file = File::open("/proc/self/exe").expect("this very program");
        let map = MmapOptions::new().len(4096).map_raw_read_only(&file).expect("a mapping");
        assert_eq!([0, 1, 2, 3].map(|n| touch(&map, n)), *b"\x7fELF");
        assert!(std::panic::catch_unwind(|| touch(&map, 4096)).is_err(), "beyond the end");
    }

    #[test]
    fn a_thread_finds_its_own_variables_in_its_stack() {
        let outer = own_stack();
        let inner = || {
            let local = 0_u8;
            let (from, to) = own_stack().expect("the C library knows");
            assert!((from..to).contains(&((&raw const local).addr() as u64)));
            (from, to)
        };
        let inner = std::thread::Builder::new().spawn(inner).expect("a thread");
        assert_ne!(outer, Some(inner.join().expect("it found them")));
    }
}
