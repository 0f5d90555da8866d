using Distill.Pipeline.Runs;
using Distill.Service.Running;
using Distill.Service.Schedules;

namespace Distill.Pipeline.Tests.Service;

/// <summary>Secrets that runs say, or that stand in what was configured, are in nothing that is kept or sent.</summary>
public sealed class SecretWordsTests : CarriedOccurrence
{
    [Fact]
    public async Task A_secret_that_a_run_says_is_in_no_log_record_or_message()
    {
        var program = new ScriptedProgram(1)
        {
            Says = ["sending key=hunter2-hunter2!",
                """{"error":{"code":1,"kind":"fault","message":"401 for hunter2-hunter2","hint":"","continue":null}}"""],
        };
        var failed = await CarryOn(program, SampleSchedules.Text + "\n    retries: { attempts: 0 }\n");
        failed.Reason.ShouldBe("401 for [secret]");
        notifiers.Told.ShouldHaveSingleItem().LastLines.ShouldBe(["sending key=[secret]!", "error: 401 for [secret]"]);
        foreach (string file in Directory.GetFiles(folder.File("runs/.schedules"), "*", SearchOption.AllDirectories))
            File.ReadAllText(file).ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task A_secret_in_the_words_that_a_run_left_behind_is_in_no_record()
    {
        store.TryCreate(Unfinished());
        MakeRun(RunProgress.Failed, null, "401 for hunter2-hunter2");
        var failed = await CarryOn(new ScriptedProgram(0), SampleSchedules.Text + "\n    retries: { attempts: 0 }\n");
        failed.Reason.ShouldBe("401 for [secret]");
    }

    [Fact]
    public void What_an_edited_file_names_as_a_secret_is_one_from_then_on()
    {
        const string Before = "DISTILL_TEST_BEFORE", After = "DISTILL_TEST_AFTER";
        Environment.SetEnvironmentVariable(Before, "value-before");
        Environment.SetEnvironmentVariable(After, "value-after");
        try
        {
            string file = folder.File("schedules.yaml", SampleSchedules.Text.Replace("TEAM_HOOK", Before, StringComparison.Ordinal));
            var book = new ScheduleBook(file);
            var secrets = new SecretText(book, "given-one", null);
            secrets.Without("value-before value-after given-one").ShouldBe("[secret] value-after [secret]");
            folder.File("schedules.yaml", SampleSchedules.Text.Replace("TEAM_HOOK", After, StringComparison.Ordinal));
            book.Refresh();
            secrets.Without("value-before value-after").ShouldBe("[secret] [secret]");
        }
        finally
        {
            Environment.SetEnvironmentVariable(Before, null);
            Environment.SetEnvironmentVariable(After, null);
        }
    }

    [Theory]
    [InlineData("Host=x;Password=hunter2-hunter2;Nonsense=hunter2")]
    [InlineData("hunter2-hunter2")]
    [InlineData("Host=x;Port=hunter2")]
    public void A_connection_string_that_is_none_is_not_quoted(string text) =>
        Should.Throw<IOException>(() => RunQueue.Open(text)).ToString().ShouldNotContain("hunter2");
}
