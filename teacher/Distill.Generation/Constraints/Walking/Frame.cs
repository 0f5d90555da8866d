namespace Distill.Generation.Constraints;

/// <summary>
/// One reading of the output so far: what is being read, and behind it what follows when that is whole (its rest). A pushdown automaton's
/// stack, linked, shared and immutable; equal readings are equal records. Where more than one reading is possible there are several.
/// </summary>
internal abstract record Frame
{
    /// <summary>Readings of one output at once: so many tools may be offered, and so many alternatives begin alike.</summary>
    public const int MostReadings = 128;

    /// <summary>Whether the output may end here.</summary>
    public virtual bool CanEnd => false;

    /// <summary>
    /// Inside a JSON string between two characters: how many more plain ones may follow, whatever they are. 0 elsewhere.
    /// </summary>
    public virtual int PlainRoom => 0;

    /// <summary>
    /// A reading after which the same bytes may follow, as long as they are not more than <paramref name="longest"/>: where bounds are
    /// farther away than that, it does not matter how far.
    /// </summary>
    public virtual Frame Within(int longest) => this;

    /// <summary>Adds every reading of one more byte; none where it may not stand here.</summary>
    public abstract void Step(byte next, List<Frame> into);
}

/// <summary>The output is whole.</summary>
internal sealed record EndFrame : Frame
{
    public override bool CanEnd => true;

    public override void Step(byte next, List<Frame> into)
    {
    }
}

/// <summary>An added token, such as the one that opens a tool call: no text spells it.</summary>
internal sealed record MarkFrame(int Token, Frame Rest) : Frame
{
    public override void Step(byte next, List<Frame> into)
    {
    }
}

/// <summary>
/// The rest of one of several texts, sorted; those from <paramref name="From"/> to before <paramref name="To"/> begin as was read.
/// </summary>
internal sealed record TextFrame(byte[][] Texts, int From, int To, int At, Frame Rest) : Frame
{
    public TextFrame(byte[] text, Frame rest)
        : this([text], 0, 1, 0, rest)
    {
    }

    public override void Step(byte next, List<Frame> into)
    {
        int from = From;
        while (from < To && Texts[from][At] != next) from++;
        int to = from;
        while (to < To && Texts[to][At] == next) to++;
        if (from < to && Texts[from].Length == At + 1)
        {
            into.Add(Rest);
            from++;
        }

        if (from < to) into.Add(new TextFrame(Texts, from, to, At + 1, Rest));
    }
}

/// <summary>Before a value, and its blanks.</summary>
/// <param name="Depth">Objects and arrays that are open.</param>
internal sealed record ValueFrame(SchemaNode Node, int Depth, Blanks Blanks, Frame Rest) : Frame
{
    public override void Step(byte next, List<Frame> into)
    {
        if (Blanks.Take(next, Depth, out var blanks)) into.Add(this with { Blanks = blanks });
        else Node.Begin(next, Depth, Rest, into);
    }
}

/// <summary>
/// White space since the last token of JSON, bounded so that no output is blank for ever: one blank, or a line's end and its indentation.
/// </summary>
internal readonly record struct Blanks(int Count, bool Line)
{
    private const int Indentation = 4;

    public bool Take(byte next, int depth, out Blanks blanks)
    {
        blanks = default;
        if (next == '\n' && !Line) blanks = new Blanks(0, true);
        else if (next is (byte)' ' or (byte)'\t' && Count < (Line ? depth * Indentation : 1)) blanks = this with { Count = Count + 1 };
        else return false;
        return true;
    }
}
