// Wingmirror · Apache-2.0

import Glibc

/// Files of the kernel's, which are small and read whole.
enum SmallFile {
    /// Reads a file as text; `nil` when it cannot be read.
    ///
    /// The C functions are `open`, `read` and `close`.
    static func read(_ path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return nil
        }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else {
                return count == 0 ? String(decoding: octets, as: UTF8.self) : nil
            }
            octets += buffer.prefix(count)
        }
    }

    /// The names in a directory of the kernel's, without those that begin with a full stop.
    ///
    /// The C functions are `opendir`, `readdir` and `closedir`.
    static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else {
            return []
        }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            // An entry ends behind its name, wherever `dirent` does: it is read where it lies, as a copy would be of 256 octets.
            unsafe names.append(name(of: entry))
        }
        return names.filter { !$0.hasPrefix(".") }
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return "" }
        let name = unsafe UnsafeRawPointer(entry) + offset
        // Invariant: a name ends with a zero, within the entry (readdir(3)).
        return unsafe String(cString: name.assumingMemoryBound(to: CChar.self))
    }

    /// Where a symbolic link leads.
    ///
    /// The C function is `readlink`.
    static func linkTarget(_ path: String) -> String? {
        let target = unsafe [CChar](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            count = unsafe buffer.baseAddress.map { unsafe max(readlink(path, $0, buffer.count), 0) } ?? 0
        }
        return target.isEmpty ? nil : String(decoding: target.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
