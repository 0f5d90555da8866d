namespace Distill.Generation.Constraints;

/// <summary>Inside a string whose length may be bounded.</summary>
/// <param name="Count">Characters so far, as far as they matter.</param>
internal sealed record StringFrame(StringNode Node, int Count, TextScan Scan, Frame Rest) : Frame
{
    public override int PlainRoom => !Scan.IsBetween ? 0 : Node.Most is { } most ? most - Count : int.MaxValue;

    public override Frame Within(int longest)
    {
        int missing = Node.Least - Count;
        bool hasRoom = !(Node.Most - Count <= longest);
        return missing > longest ? this with { Count = 0 }
            : missing <= 0 && hasRoom ? this with { Count = Node.Least }
            : this;
    }

    public override void Step(byte next, List<Frame> into)
    {
        if (next == '"' && Scan.IsBetween)
        {
            if (Count >= Node.Least) into.Add(Rest);
            return;
        }

        if (Scan.IsBetween && Count == Node.Most) return;
        if (!Scan.Take(next, canonical: false, out var scan)) return;
        int count = !scan.IsBetween ? Count : Node.Most is null ? Math.Min(Count + 1, Node.Least) : Count + 1;
        into.Add(new StringFrame(Node, count, scan, Rest));
    }
}

/// <summary>Inside a string of a pattern.</summary>
/// <param name="State">Of the pattern's automaton, which reads UTF-8.</param>
internal sealed record PatternFrame(PatternAutomaton Pattern, int State, bool IsEscaped, Frame Rest) : Frame
{
    // The second byte of an escape and the character it stands for; '/' stands for itself.
    private static ReadOnlySpan<byte> Letters => "\"\\bfnrt"u8;

    private static ReadOnlySpan<byte> Characters => "\"\\\b\f\n\r\t"u8;

    public override void Step(byte next, List<Frame> into)
    {
        if (IsEscaped)
        {
            int letter = Letters.IndexOf(next);
            if (letter >= 0) Add(Characters[letter], into);
        }
        else if (next == '"')
        {
            if (Pattern.Accepts(State)) into.Add(Rest);
        }
        else if (next == '\\')
        {
            bool any = false;
            foreach (byte character in Characters) any |= Pattern.Next(State, character) >= 0;
            if (any) into.Add(this with { IsEscaped = true });
        }
        else if (next >= 0x20) Add(next, into);
    }

    private void Add(byte character, List<Frame> into)
    {
        int state = Pattern.Next(State, character);
        if (state >= 0) into.Add(new PatternFrame(Pattern, state, false, Rest));
    }
}
