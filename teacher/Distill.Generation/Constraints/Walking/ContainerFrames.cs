namespace Distill.Generation.Constraints;

/// <summary>Where a container stands between its values.</summary>
internal enum ContainerPhase
{
    /// <summary>After its opening bracket.</summary>
    Open,

    /// <summary>After a comma.</summary>
    Next,

    /// <summary>After a value.</summary>
    After,

    /// <summary>After a value and blanks: nothing but the closing bracket follows.</summary>
    Closing,
}

/// <summary>Inside an object, between its members.</summary>
/// <param name="Seen">Declared properties that it has: bit of the index.</param>
/// <param name="Others">Its other names, in the order in which they came.</param>
/// <param name="Depth">Objects and arrays that are open, this one included.</param>
internal sealed record ObjectFrame(
    ObjectNode Node, UInt128 Seen, UsedName? Others, ContainerPhase Phase, int Depth, Blanks Blanks, Frame Rest) : Frame
{
    public bool TakesOthers => Node.Others is { } others && others.Fits(Depth);

    public override void Step(byte next, List<Frame> into)
    {
        switch (next)
        {
            case (byte)'"' when Phase is ContainerPhase.Open or ContainerPhase.Next:
                if (TakesAny) into.Add(new NameFrame(this with { Blanks = default }, "", TextScan.Start));
                break;
            case (byte)',' when Phase is ContainerPhase.After:
                if (TakesAny) into.Add(this with { Phase = ContainerPhase.Next, Blanks = default });
                break;
            case (byte)'}' when Phase is not ContainerPhase.Next:
                if (IsWhole) into.Add(Rest);
                break;
            default:
                if (!Blanks.Take(next, Depth, out var blanks) || (Phase is ContainerPhase.After && !IsWhole)) break;
                into.Add(this with { Blanks = blanks, Phase = Phase is ContainerPhase.After ? ContainerPhase.Closing : Phase });
                break;
        }
    }

    /// <summary>Whether a declared property may come next.</summary>
    public bool Takes(int property) => ((Seen >> property) & UInt128.One) == UInt128.Zero && Node.Properties[property].Value.Fits(Depth);

    private bool IsWhole => (Seen & Node.Required) == Node.Required;

    private bool TakesAny
    {
        get
        {
            if (TakesOthers) return true;
            for (int property = 0; property < Node.Properties.Count; property++)
            {
                if (Takes(property)) return true;
            }

            return false;
        }
    }
}

/// <summary>A name that no property declares, so that no object has it twice.</summary>
internal sealed record UsedName(string Name, UsedName? Before)
{
    public bool Has(string name)
    {
        for (var used = this; used is not null; used = used.Before)
        {
            if (used.Name == name) return true;
        }

        return false;
    }
}

/// <summary>Inside the name of a member. Names have one spelling, so that equal ones are seen to be equal.</summary>
/// <param name="Name">Its bytes so far, one to a character.</param>
internal sealed record NameFrame(ObjectFrame Owner, string Name, TextScan Scan) : Frame
{
    // What else may be said in a name is said by plain tokens as well, unless all names are declared.
    public override int PlainRoom => Owner.TakesOthers && Scan.IsBetween ? int.MaxValue : 0;

    public override void Step(byte next, List<Frame> into)
    {
        if (next == '"' && Scan.IsBetween)
        {
            End(into);
            return;
        }

        if (!Scan.Take(next, canonical: true, out var scan)) return;
        string name = Name + (char)next;
        if (Owner.TakesOthers || IsBegun(name)) into.Add(new NameFrame(Owner, name, scan));
    }

    private void End(List<Frame> into)
    {
        var owner = Owner with { Phase = ContainerPhase.After };
        SchemaNode? value = null;
        if (Owner.Node.IndexOf(Name) is >= 0 and var property)
        {
            if (Owner.Takes(property))
                (value, owner) = (Owner.Node.Properties[property].Value, owner with { Seen = Owner.Seen | (UInt128.One << property) });
        }
        else if (Owner.TakesOthers && Owner.Others?.Has(Name) != true)
            (value, owner) = (Owner.Node.Others!, owner with { Others = new UsedName(Name, Owner.Others) });

        if (value is not null) into.Add(new TextFrame(s_colon, 0, 1, 0, new ValueFrame(value, Owner.Depth, default, owner)));
    }

    private bool IsBegun(string name)
    {
        for (int property = 0; property < Owner.Node.Properties.Count; property++)
        {
            if (Owner.Node.Properties[property].Name.StartsWith(name, StringComparison.Ordinal) && Owner.Takes(property)) return true;
        }

        return false;
    }

    private static readonly byte[][] s_colon = [[(byte)':']];
}

/// <summary>Inside an array, between its items.</summary>
/// <param name="Count">Items so far, as far as they matter.</param>
/// <param name="Depth">Objects and arrays that are open, this one included.</param>
internal sealed record ArrayFrame(ArrayNode Node, int Count, ContainerPhase Phase, int Depth, Blanks Blanks, Frame Rest) : Frame
{
    public override void Step(byte next, List<Frame> into)
    {
        if (next == ']' && Phase is not ContainerPhase.Next)
        {
            if (IsWhole) into.Add(Rest);
        }
        else if (next == ',' && Phase is ContainerPhase.After)
        {
            if (TakesItem) into.Add(this with { Phase = ContainerPhase.Next, Blanks = default });
        }
        else if (Blanks.Take(next, Depth, out var blanks) && (Phase is not ContainerPhase.After || IsWhole))
            into.Add(this with { Blanks = blanks, Phase = Phase is ContainerPhase.After ? ContainerPhase.Closing : Phase });
        else if (Phase is ContainerPhase.Open or ContainerPhase.Next && TakesItem)
        {
            int count = Node.Most is null ? Math.Min(Count + 1, Node.Least) : Count + 1;
            Node.Items.Begin(next, Depth, this with { Count = count, Phase = ContainerPhase.After, Blanks = default }, into);
        }
    }

    private bool IsWhole => Count >= Node.Least;

    private bool TakesItem => Node.Items.Fits(Depth) && !(Count >= Node.Most);
}
