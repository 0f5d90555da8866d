using System.Globalization;
using Distill.Storage;

namespace Distill.Service.Fleet;

/// <summary>Units of a stage that are one piece of work.</summary>
/// <param name="End">The first that is not in it; 0 where it is the stage as a whole.</param>
internal readonly record struct UnitRange(int First, int End)
{
    /// <summary>Dividing the stage, or making it from its units, or making it at all where it has none.</summary>
    public static UnitRange Whole => new(0, 0);

    /// <summary>Stands for the stage as a whole where a unit is named.</summary>
    public const int NoUnit = -1;

    public bool IsWhole => End == 0;

    public int Count => End - First;

    /// <summary>As files are called, and people are told.</summary>
    public override string ToString() => IsWhole ? "whole" : string.Create(CultureInfo.InvariantCulture, $"{First}-{End}");
}

/// <summary>Who began a piece of work. Its number, from 1, only grows: who holds an older one is late.</summary>
/// <param name="Session">Of the worker: another one of the same name is not it.</param>
/// <param name="Process">That makes it, on the worker's host.</param>
internal sealed record Claim(string Worker, string Session, int Process, DateTimeOffset Began);

internal enum ClaimOutcome
{
    /// <summary>Given back: its worker was stopped, or the run was. Counts for nothing.</summary>
    Returned,

    /// <summary>Its process ended without a word.</summary>
    Died,

    /// <summary>It ended with a fault.</summary>
    Failed,

    /// <summary>Its worker ended without a word, or is frozen: that is seldom the work's fault.</summary>
    Lost,

    /// <summary>It counted the stage's units. What is claimed of the stage from then on is to join them.</summary>
    Divided,
}

/// <summary>How a claim ended that did not end well.</summary>
/// <param name="Unit">The one that was being made.</param>
internal sealed record ClaimEnd(ClaimOutcome Outcome, int Unit, string Reason, DateTimeOffset Ended);

/// <summary>A claim, with its number and its end where that is known.</summary>
internal readonly record struct NumberedClaim(int Number, Claim Claim, ClaimEnd? End);

/// <summary>How many units a stage has.</summary>
internal sealed record WorkDivision(string Stage, int Units);

/// <summary>Units from <paramref name="From"/> to <paramref name="To"/>, that one left out, are handed out by so many.</summary>
internal sealed record WorkCut(int From, int To, int Size)
{
    public IEnumerable<UnitRange> Ranges()
    {
        for (int first = From; first < To; first += Size) yield return new(first, Math.Min(first + Size, To));
    }
}

/// <summary>Units that are made, or set aside.</summary>
/// <param name="Units">That were made for it; the others were there, or are set aside.</param>
internal sealed record RangeDone(string Worker, double Seconds, int Units);

/// <summary>A unit that was set aside, with what became of those who tried it.</summary>
internal sealed record BadUnit(int Unit, IReadOnlyList<string> Reasons);

/// <summary>
/// The notes on the work of one stage, each a file that is made exclusively or not at all:
/// <code>
/// division.json          how many units it has
/// cut-1.json, cut-2.json how they are handed out: a few one by one, then the rest by what those took, in ever smaller pieces
/// handed/NAME            somebody put it into the queue
/// claims/RANGE.N.json    the claim with the number N; .unit beside it is the unit at work, .end.json how it ended
/// done/RANGE.json        every unit of it is made or set aside
/// bad/UNIT.json          set aside
/// renewed                it was given up and begun again
/// </code>
/// Thread-safe between processes.
/// </summary>
internal sealed class WorkNotes(string folder)
{
    private const string Note = ".json";

    /// <summary>False where nobody has begun, and again when the stage is made.</summary>
    public bool IsThere => Directory.Exists(folder);

    /// <summary>Whether it was given up before: then others' folders hold units that no claim tells of.</summary>
    public bool IsRenewed => File.Exists(RenewedPath);

    private string RenewedPath => Path.Combine(folder, "renewed");

    private string DonePath => Path.Combine(folder, "done");

    private string BadPath => Path.Combine(folder, "bad");

    public WorkDivision? Division => NoteFile.TryRead<WorkDivision>(Path.Combine(folder, "division" + Note));

    public void Divide(WorkDivision division) => Create(Path.Combine(folder, "division" + Note), division);

    /// <summary>In order; together they begin with unit 0 and leave nothing out.</summary>
    public IReadOnlyList<WorkCut> Cuts()
    {
        var cuts = new List<WorkCut>();
        while (NoteFile.TryRead<WorkCut>(CutPath(cuts.Count + 1)) is { } cut) cuts.Add(cut);
        return cuts;
    }

    /// <param name="number">From 1.</param>
    public void Cut(int number, WorkCut cut) => Create(CutPath(number), cut);

    /// <returns>Whether nobody did before: then it is the caller's to put it into the queue.</returns>
    public bool TryHandOut(string name)
    {
        string path = Path.Combine(folder, "handed", name);
        if (File.Exists(path)) return false;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            using var note = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
    }

    public bool IsDone(UnitRange range) => File.Exists(Path.Combine(DonePath, range + Note));

    public void MarkDone(UnitRange range, RangeDone done)
    {
        if (IsThere) Create(Path.Combine(DonePath, range + Note), done); // else the stage was made without it
    }

    /// <summary>Units that are made or set aside, told from names alone.</summary>
    public int DoneUnits() => DoneRanges().Sum(range => range.Count);

    /// <summary>The fastest of some, which opened no model; null where none was made.</summary>
    public double? SecondsPerUnit() => DoneRanges().Take(8)
        .Select(range => NoteFile.TryRead<RangeDone>(Path.Combine(DonePath, range + Note)))
        .Where(done => done is { Units: > 0 }).Min(done => done?.Seconds / done?.Units);

    public IReadOnlyList<NumberedClaim> Claims(UnitRange range)
    {
        var claims = new List<NumberedClaim>();
        while (NoteFile.TryRead<Claim>(ClaimPath(range, claims.Count + 1) + Note) is { } claim)
            claims.Add(new(claims.Count + 1, claim, NoteFile.TryRead<ClaimEnd>(EndPath(range, claims.Count + 1))));
        return claims;
    }

    /// <returns>False where another one has this number.</returns>
    public bool TryClaim(UnitRange range, int number, Claim claim) => Create(ClaimPath(range, number) + Note, claim);

    /// <summary>Notes the unit that comes next, so that it is known should the process end there.</summary>
    public void Begin(UnitRange range, int number, int unit) => NoteFile.Write(UnitPath(range, number), new UnitNote(unit));

    /// <summary>The unit that a claim was at when its process ended.</summary>
    public int UnitOf(UnitRange range, int number) => range.IsWhole ? UnitRange.NoUnit
        : NoteFile.TryRead<UnitNote>(UnitPath(range, number))?.Unit ?? range.First;

    /// <returns>Whether nobody noted its end before.</returns>
    public bool TryEnd(UnitRange range, int number, ClaimEnd end) => Create(EndPath(range, number), end);

    public IReadOnlyList<BadUnit> Bad() => [.. OptionalFolder.Files(BadPath, "*" + Note)
        .Select(NoteFile.TryRead<BadUnit>).OfType<BadUnit>().OrderBy(bad => bad.Unit)];

    public void SetAside(BadUnit bad) => Create(Path.Combine(BadPath, bad.Unit.ToString(CultureInfo.InvariantCulture) + Note), bad);

    /// <summary>
    /// Everything is tried anew: what was set aside, and what was handed out and lost. Units that were made stay made. For who knows that
    /// nobody is at work.
    /// </summary>
    public void Renew()
    {
        if (!IsThere) return;
        File.WriteAllBytes(RenewedPath, []);
        int[] bad = [.. Bad().Select(unit => unit.Unit)];
        foreach (var range in DoneRanges().Where(range => bad.Any(unit => unit >= range.First && unit < range.End)).ToList())
            File.Delete(Path.Combine(DonePath, range + Note));
        foreach (string name in (string[])["handed", "claims", "bad"])
        {
            string path = Path.Combine(folder, name);
            if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>The stage is made.</summary>
    public void Remove()
    {
        try
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            // Somebody who comes late wrote a note meanwhile; it says nothing any more.
        }
        catch (DirectoryNotFoundException)
        {
            // Another one removed it just now.
        }
    }

    private IEnumerable<UnitRange> DoneRanges() => OptionalFolder.Files(DonePath, "*" + Note)
        .Select(path => Path.GetFileNameWithoutExtension(path).Split('-'))
        .Where(parts => parts.Length == 2 && parts[0].Length > 0 && parts[0][0] != '.')
        .Select(parts => new UnitRange(
            int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture)));

    private static bool Create<T>(string path, T note)
        where T : class
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return NoteFile.TryCreate(path, note);
    }

    private string CutPath(int number) => Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"cut-{number}{Note}"));

    private string ClaimPath(UnitRange range, int number) =>
        Path.Combine(folder, "claims", string.Create(CultureInfo.InvariantCulture, $"{range}.{number}"));

    private string UnitPath(UnitRange range, int number) => ClaimPath(range, number) + ".unit";

    private string EndPath(UnitRange range, int number) => ClaimPath(range, number) + ".end" + Note;

    private sealed record UnitNote(int Unit);
}

/// <summary>
/// The first piece of a stage that is not done, looked for from where it was last: one look for each piece, however many there are. One
/// thread.
/// </summary>
internal sealed class Frontier(WorkNotes notes)
{
    private UnitRange[] ranges = [];
    private bool isWhole;
    private int at;

    /// <summary>Whether somebody should hand out what comes next: everything that was is done, or only the first units were.</summary>
    public bool IsReached()
    {
        if (!isWhole && notes.Division is { } division)
        {
            ranges = [.. notes.Cuts().SelectMany(cut => cut.Ranges())];
            isWhole = ranges.Length > 0 && ranges[^1].End == division.Units;
        }

        while (at < ranges.Length && notes.IsDone(ranges[at])) at++;
        return !isWhole || at == ranges.Length;
    }
}
