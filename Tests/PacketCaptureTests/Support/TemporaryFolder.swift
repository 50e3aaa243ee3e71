// Wingmirror · Apache-2.0

import Glibc

/// A folder of a test's own, removed with everything in it when the test lets go of it.
final class TemporaryFolder {
    let path: String
    private var names: Set<String> = []

    init() {
        var template = Array("/tmp/wingmirror-test-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            preconditionFailure("TemporaryFolder.init: mkdtemp failed")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names {
            unsafe unlink("\(path)/\(name)")
        }
        unsafe rmdir(path)
    }

    /// Writes a file and gives its path.
    func file(_ name: String, _ octets: some Sequence<UInt8>) -> String {
        let path = reserve(name)
        Self.write([Array(octets)], to: path)
        return path
    }

    /// Makes a named pipe and gives its path.
    func pipe(_ name: String) -> String {
        let path = reserve(name)
        guard unsafe mkfifo(path, 0o600) == 0 else {
            preconditionFailure("TemporaryFolder.pipe: mkfifo failed")
        }
        return path
    }

    /// Has this process read a file as its standard input.
    static func makeStandardInput(_ path: String) -> Bool {
        let descriptor = unsafe open(path, O_RDONLY)
        return descriptor >= 0 && dup2(descriptor, STDIN_FILENO) == STDIN_FILENO
    }

    /// Takes all permissions from a file.
    static func lock(_ path: String) {
        unsafe chmod(path, 0)
    }

    /// Writes octets to a file or a pipe, with a call for each part.
    static func write(_ parts: [[UInt8]], to path: String) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(descriptor >= 0, "TemporaryFolder.write: open failed")
        for part in parts {
            var rest = part[...]
            while !rest.isEmpty {
                let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
                precondition(count > 0, "TemporaryFolder.write: write failed")
                rest = rest.dropFirst(count)
            }
        }
        close(descriptor)
    }

    private func reserve(_ name: String) -> String {
        names.insert(name)
        return "\(path)/\(name)"
    }
}
