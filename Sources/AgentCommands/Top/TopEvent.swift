// Wingmirror · Apache-2.0

/// What happens while `top` is shown.
enum TopEvent: Sendable {
    /// A key was pressed.
    case key(TopKey)
    /// The terminal has another size.
    case resized
    /// The process is to stop, and to go on later.
    case stop
    /// The program is to end.
    case end
    /// It is time for new figures.
    case tick
    /// New figures have come.
    case frame(TopFrame)
    /// The past of a route has come.
    case detail(TopDetail)
    /// Something happened that there is no figure for.
    case message(String)
}
