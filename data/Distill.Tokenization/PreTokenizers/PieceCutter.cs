namespace Distill.Tokenization.PreTokenizers;

/// <summary>
/// Collects the stretches of a piece, matches and others in turn, and joins them as a <see cref="SplitBehavior"/> says. No piece is
/// empty.
/// </summary>
internal sealed class PieceCutter(Piece piece, SplitBehavior behavior, List<Piece> output)
{
    private int _start = -1;
    private int _end;
    private bool _afterMatch;

    /// <summary>Units [start, end), which follow the stretch added before.</summary>
    public void Add(int start, int end, bool isMatch)
    {
        if (start >= end) return;
        bool joins = _start >= 0 && behavior switch
        {
            SplitBehavior.Contiguous => isMatch == _afterMatch,
            SplitBehavior.MergedWithPrevious => isMatch && !_afterMatch,
            SplitBehavior.MergedWithNext => _afterMatch && !isMatch,
            _ => false,
        };
        if (!joins)
        {
            Finish();
            _start = start;
        }
        _end = end;
        _afterMatch = isMatch;
        if (isMatch && behavior == SplitBehavior.Removed) _start = -1;
    }

    /// <summary>Hands out what is still held.</summary>
    public void Finish()
    {
        if (_start >= 0) output.Add(piece.Slice(_start, _end));
        _start = -1;
    }
}
