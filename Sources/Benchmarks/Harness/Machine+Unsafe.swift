// Wingmirror · Apache-2.0
// The files of a machine: proc(5).

import Glibc

/// What figures depend on beside the code.
enum Machine {
    /// Whether the compiler optimised.
    static var isOptimizedBuild: Bool {
        #if DEBUG
        false
        #else
        true
        #endif
    }

    /// Build, processor and load, in lines.
    static var description: String {
        let load = fileText("/proc/loadavg").split(separator: " ").first ?? "unknown"
        return """
            \(isOptimizedBuild ? "release" : "DEBUG") build, Swift \(swiftVersion), \(architecture), \(processor), \
            \(sysconf(CInt(_SC_NPROCESSORS_ONLN))) cores, load \(load)
            Processor time, median (range) of rounds in turn. Whatever else the machine does moves it: compare ratios.

            """
    }

    /// The release of the compiler, as far as a program can know its own.
    private static var swiftVersion: String {
        #if compiler(>=6.4)
        "6.4 or later"
        #elseif compiler(>=6.3)
        "6.3"
        #else
        "6.2"
        #endif
    }

    private static var architecture: String {
        #if arch(x86_64)
        "x86-64"
        #elseif arch(arm64)
        "arm64"
        #else
        "another architecture"
        #endif
    }

    private static var processor: String {
        let line = fileText("/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":", maxSplits: 1).last.map { $0.drop { $0 == " " } }
        return name.map { String($0) } ?? "unnamed processor"
    }

    /// The beginning of a small file; empty when it cannot be read.
    private static func fileText(_ path: String) -> String {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var contents = [UInt8](repeating: 0, count: 4096)
        // The buffer is the array's own storage, valid for the call, and its count is passed with it.
        let count = unsafe contents.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        return String(decoding: contents.prefix(max(0, count)), as: UTF8.self)
    }
}
