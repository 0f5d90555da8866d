namespace Distill.Service.Fleet;

internal enum ClaimVerdict
{
    /// <summary>The caller's, with a number of its own.</summary>
    Taken,

    Done,

    /// <summary>A living worker is at it.</summary>
    Busy,

    /// <summary>It ended too many processes.</summary>
    SetAside,
}

/// <summary>
/// Who may begin a piece of work. Each attempt is noted before it begins, so that one that ends its process is counted all the same; a unit
/// that ended <see cref="MostEnds"/> is set aside, and whoever comes next leaves it out. The end of a whole worker is mostly a machine's
/// affair, and takes <see cref="MostLosses"/>. Two may come to hold one piece, if a worker
/// was taken for dead: both make the same.
/// </summary>
internal sealed class ClaimDesk(WorkerWatch watch, TimeProvider clock)
{
    public const int MostEnds = 3, MostLosses = 10;

    /// <param name="me">Who asks; what it was at before has ended, since it does one thing at a time.</param>
    public (ClaimVerdict Verdict, int Number) Take(WorkNotes notes, UnitRange range, WorkerNote me)
    {
        if (notes.IsDone(range)) return (ClaimVerdict.Done, 0);
        // One look for both: of a claim that another one made since then, this must be the rival and not the successor.
        var claims = notes.Claims(range);
        if (!Settle(notes, range, claims, me)) return (ClaimVerdict.Busy, 0);
        if (range.IsWhole && notes.Bad().Any(bad => bad.Unit == UnitRange.NoUnit)) return (ClaimVerdict.SetAside, 0);
        int number = claims.Count + 1;
        var claim = new Claim(me.Name, me.Session, me.Process, clock.GetUtcNow());
        return notes.TryClaim(range, number, claim) ? (ClaimVerdict.Taken, number) : (ClaimVerdict.Busy, 0);
    }

    /// <summary>Notes the end of a claim whose worker did not.</summary>
    /// <param name="me">Null for who does no work.</param>
    /// <returns>Whether nobody is at it.</returns>
    public bool Settle(WorkNotes notes, UnitRange range, WorkerNote? me) => Settle(notes, range, notes.Claims(range), me);

    private bool Settle(WorkNotes notes, UnitRange range, IReadOnlyList<NumberedClaim> claims, WorkerNote? me)
    {
        if (claims is not [.., { End: null } last]) return true;
        bool isMine = me is not null && last.Claim.Worker == me.Name && last.Claim.Session == me.Session;
        if (!isMine && watch.IsAlive(last.Claim.Worker, last.Claim.Session)) return false;
        string reason = isMine ? "it was not heard of" : $"worker {last.Claim.Worker} ended without a word, or is frozen";
        End(notes, range, last.Number, isMine ? ClaimOutcome.Returned : ClaimOutcome.Lost, reason);
        return true;
    }

    /// <summary>Notes how a claim ended that did not end well, and sets the unit aside that it was at if that was too often.</summary>
    public void End(WorkNotes notes, UnitRange range, int number, ClaimOutcome outcome, string reason)
    {
        if (!notes.IsThere) return; // the stage is made
        int unit = notes.UnitOf(range, number);
        if (!notes.TryEnd(range, number, new(outcome, unit, reason, clock.GetUtcNow()))) return;
        if (outcome is ClaimOutcome.Returned or ClaimOutcome.Divided) return;
        var ends = EndsOf(notes.Claims(range), unit);
        int losses = ends.Count(claim => claim.End!.Outcome == ClaimOutcome.Lost);
        if (ends.Count - losses >= MostEnds || losses >= MostLosses)
            notes.SetAside(new(unit, [.. ends.Select(claim => $"{claim.Claim.Worker}: {claim.End!.Reason}")]));
    }

    // To divide a stage and to join its units are two things, though both are claimed as the whole.
    private static List<NumberedClaim> EndsOf(IReadOnlyList<NumberedClaim> claims, int unit)
    {
        int divided = claims.LastOrDefault(claim => claim.End?.Outcome == ClaimOutcome.Divided).Number;
        return [.. claims.Where(claim => claim.Number > divided && claim.End is { } end && end.Unit == unit
            && end.Outcome is ClaimOutcome.Died or ClaimOutcome.Failed or ClaimOutcome.Lost)];
    }
}
