// Wingmirror · Apache-2.0

import Agent

/// Shows figures on a terminal until it is told to end.
struct TopSession {
    /// The terminal.
    let terminal: any TopTerminal
    /// Where the figures come from.
    let source: any TopSource
    /// What happens.
    let events: AsyncStream<TopEvent>
    /// Where what has been fetched is reported.
    let report: AsyncStream<TopEvent>.Continuation

    private var view: TopView
    private var frame: TopFrame
    private var message: String?
    private var isFetching = false
    private var isFetchingDetail = false

    /// Makes a session that has shown nothing.
    init(
        terminal: any TopTerminal,
        source: any TopSource,
        sourceName: String,
        order: TopView.Order,
        events: AsyncStream<TopEvent>,
        report: AsyncStream<TopEvent>.Continuation
    ) {
        self.terminal = terminal
        self.source = source
        self.events = events
        self.report = report
        view = TopView(size: terminal.size, isColoured: terminal.isColoured)
        view.order = order
        frame = TopFrame(source: sourceName)
    }

    /// Shows the figures; the terminal is as before when this returns or throws.
    ///
    /// - Throws: When the terminal has gone.
    mutating func run() async throws(OctetOutput.Failure) {
        terminal.enter()
        defer { terminal.leave() }
        fetch()
        try draw()
        for await event in events {
            guard take(event) else { return }
            try draw()
        }
    }

    /// Does what an event asks for; `false` ends the session.
    private mutating func take(_ event: TopEvent) -> Bool {
        switch event {
        case .key(let key):
            switch view.keyPressed(key, showing: frame) {
            case .quit: return false
            case .detail(let id): fetchDetail(id)
            case nil: break
            }
        case .resized:
            view.size = terminal.size
            view.keepSelection(in: frame)
        case .stop:
            terminal.leave()
            terminal.stopProcess()
            terminal.enter()
            view.size = terminal.size
        case .end: return false
        case .tick:
            fetch()
            if let id = view.detailed { fetchDetail(id) }
        case .frame(let frame):
            isFetching = false
            if !view.isPaused { self.frame = frame }
            view.keepSelection(in: self.frame)
        case .detail(let detail):
            isFetchingDetail = false
            if !view.isPaused || view.detail == nil { view.detail = detail }
        case .message(let message): self.message = message
        }
        return true
    }

    /// Asks for new figures, unless an answer is still awaited.
    private mutating func fetch() {
        guard !isFetching else { return }
        isFetching = true
        Task { [source, report] in report.yield(.frame(await source.frame())) }
    }

    private mutating func fetchDetail(_ id: String) {
        guard !isFetchingDetail else { return }
        isFetchingDetail = true
        Task { [source, report] in report.yield(.detail(await source.detail(of: id))) }
    }

    private func draw() throws(OctetOutput.Failure) {
        try terminal.draw(view.lines(frame, message: message))
    }
}
