using Distill.Pipeline.Runs;
using Distill.Service.Occurrences;

namespace Distill.Pipeline.Tests.Service;

/// <summary>What is done after a run, and what is not.</summary>
public sealed class FollowUpTests : CarriedOccurrence
{
    [Fact]
    public async Task What_follows_a_run_is_done_in_order_once_and_its_trouble_is_told()
    {
        const string Then = "then: { push: 'hf://me/student-{date:yyyyMMdd}', notify: team }";
        var program = new ScriptedProgram((arguments, _) => Task.FromResult(arguments[0] == "push" ? 1 : 0));
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls[1].ShouldBe(
            ["push", folder.File("runs/nightly-20261128t013000z/model"), "hf://me/student-20261128", "--json"]);
        done.Followed.ShouldBe(["push", "notify team"]);
        notifiers.Told.ShouldHaveSingleItem().Headline.ShouldBe("nightly finished, but then push: it ended with code 1");
    }

    [Fact]
    public async Task A_model_that_the_gate_of_promotion_refuses_is_not_pushed_and_the_refusal_is_told()
    {
        const string Then = "then: { promote: models/mine, push: hf://me/student, notify: team }";
        var program = new ScriptedProgram((arguments, _) => Task.FromResult(arguments[0] == "promote" ? 3 : 0));
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls.Select(call => call[0]).ShouldBe(["run", "promote"]);
        program.Calls[1].ShouldBe(["promote", done.Run, "--to", folder.File("models/mine"), "--runs", folder.File("runs"), "--json"]);
        (done.State, done.Attempts.Count).ShouldBe((OccurrenceState.Refused, 1));
        var notice = notifiers.Told.ShouldHaveSingleItem();
        (notice.Headline, notice.Continue).ShouldBe(("nightly refused: promote: it ended with code 3", null));
    }

    [Theory]
    [InlineData(1, "nightly finished, but then promote: it ended with code 1")]
    [InlineData(-9, "nightly finished, but then promote: it ended with code -9")]
    public async Task A_model_that_could_not_be_promoted_is_not_pushed_and_the_promotion_stays_undone(int code, string headline)
    {
        const string Then = "then: { promote: models/mine, push: hf://me/student, notify: team }";
        var program = new ScriptedProgram((arguments, _) => Task.FromResult(arguments[0] == "promote" ? code : 0));
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls.Select(call => call[0]).ShouldBe(["run", "promote"]);
        done.State.ShouldBe(OccurrenceState.Finished);
        done.Followed.ShouldBe(["notify team"]);
        notifiers.Told.ShouldHaveSingleItem().Headline.ShouldBe(headline);
    }

    [Fact]
    public async Task A_run_that_found_nothing_new_is_neither_promoted_nor_pushed_and_no_alarm()
    {
        const string Then = "then: { promote: models/mine, push: hf://me/student, notify: team }";
        var program = new ScriptedProgram((_, _) =>
        {
            MakeRun(RunProgress.Stopped, RunVerdict.EndedEarly, "nothing to do");
            return Task.FromResult(0);
        });
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls.ShouldHaveSingleItem()[0].ShouldBe("run");
        (done.State, done.Reason).ShouldBe((OccurrenceState.Finished, "nothing to do"));
        notifiers.Told.ShouldHaveSingleItem().Headline.ShouldBe("nightly finished");
    }

    [Theory]
    [InlineData("Finished")]
    [InlineData("Failed")]
    public async Task A_run_whose_gate_refused_after_its_service_was_killed_is_refused_and_not_pushed(string progress)
    {
        const string Then = "then: { push: hf://me/student, notify: team }";
        store.TryCreate(Unfinished());
        MakeRun(Enum.Parse<RunProgress>(progress), RunVerdict.Refused, "a loss below 1 points is not shown");
        var program = new ScriptedProgram(0);
        var done = await CarryOn(program, SampleSchedules.Text.Replace("then: { notify: team }", Then, StringComparison.Ordinal));
        program.Calls.ShouldBeEmpty();
        (done.State, done.Reason).ShouldBe((OccurrenceState.Refused, "a loss below 1 points is not shown"));
        notifiers.Told.ShouldHaveSingleItem().Outcome.ShouldBe("refused");
    }
}
