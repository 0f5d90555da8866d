namespace Distill.Data.Problems.Twins;

/// <summary>
/// First names by the pronouns that go with them. None of them is also a common word, a month, a place or a surname that stands alone
/// often, and none is in both lists.
/// </summary>
internal static class FirstNames
{
    private static readonly string[] She =
    [
        .. (
            "Abigail Adriana Agnes Alexandra Alice Alicia Alison Allison Alyssa Amanda Amelia Amy Andrea Angela Anita "
            + "Ann Anna Anne Annie Anya Ariana Audrey Barbara Beatrice Becky Bella Bernice Beth Bethany Betty Bianca "
            + "Brenda Brianna Bridget Camila Candice Carla Carmen Caroline Carrie Catherine Cecilia Celia Chloe "
            + "Christina Christine Cindy Claire Clara Claudia Connie Cynthia Daniela Danielle Darlene Deborah Debbie "
            + "Denise Diana Diane Donna Doris Dorothy Edith Eileen Elaine Eleanor Elena Elise Eliza Elizabeth Ella Ellen "
            + "Emily Emma Erica Erin Esther Ethel Eva Evelyn Fiona Frances Francine Gabriela Gabriella Gina Gloria Greta "
            + "Gwen Hanna Hannah Harriet Hazel Heidi Helen Helena Hilda Ingrid Irene Isabel Isabella Jacqueline Jane "
            + "Janet Janice Jasmin Jeanne Jenna Jennifer Jenny Jessica Jill Joan Joanna Joanne Josephine Joyce Juanita "
            + "Judith Judy Julia Juliana Julie Juliet Karen Karin Karla Kate Katherine Kathleen Kathy Katie Katrina "
            + "Kayla Kristen Kristin Kristina Krystal Laura Lauren Leah Leila Lena Lillian Linda Lisa Liza Lola Lorraine "
            + "Louise Lucia Lucy Lydia Mabel Madeline Maggie Maisie Marcia Margaret Maria Mariah Marie Marilyn Marissa "
            + "Martha Mary Matilda Maya Megan Melanie Melinda Melissa Meredith Mia Michelle Mila Mildred Miranda Miriam "
            + "Molly Monica Nadia Nancy Naomi Natalia Natalie Natasha Nicole Nina Nora Norma Olga Olivia Pamela Patricia "
            + "Paula Pauline Phoebe Phyllis Priscilla Rachel Ramona Rebecca Renee Rita Roberta Rosa Rosalie Roxanne Ruth "
            + "Sabrina Sally Samantha Sandra Sara Sarah Selena Serena Sharon Sheila Shelly Shirley Silvia Simone Sofia "
            + "Sonia Sophia Sophie Stella Stephanie Susan Susanna Susie Suzanne Sylvia Tabitha Tamara Tammy Tanya Tara "
            + "Teresa Theresa Tiffany Tina Trisha Ursula Valerie Vanessa Vera Veronica Vicky Vivian Wanda Wendy Yolanda "
            + "Yvonne Zoe Zoey").Split(' '),
    ];

    private static readonly string[] He =
    [
        .. (
            "Aaron Abraham Adam Ahmed Alan Albert Alejandro Alexander Alfred Allen Alvin Andre Andrew Andy Anthony "
            + "Antonio Archie Arnold Arthur Barry Ben Benjamin Bernard Billy Bob Bobby Boris Brad Bradley Brandon "
            + "Brendan Brian Bruce Bruno Bryan Byron Caleb Calvin Carl Carlos Cedric Charles Christopher Clarence Claude "
            + "Clifford Colin Connor Craig Curtis Damian Damien Dan Daniel Danny Darren Darryl Dave David Dennis Derek "
            + "Diego Donald Donny Doug Douglas Duncan Dylan Ed Eddie Edgar Edmund Eduardo Edward Edwin Eli Elijah Elliot "
            + "Eric Erik Ethan Eugene Evan Felix Fernando Finn Francis Fred Freddie Frederick Gabriel Gareth Gary Gavin "
            + "Geoffrey George Gerald Gilbert Gordon Graham Greg Gregory Gustavo Harold Harvey Hector Henry Herbert "
            + "Herman Howard Hugh Hugo Ian Igor Isaac Ivan Jack Jacob Jake James Jamal Jared Jason Javier Jeff Jeffrey "
            + "Jeremiah Jeremy Jerome Jerry Jim Jimmy Joe Joel John Johnny Jonah Jonathan Jorge Jose Joseph Joshua Juan "
            + "Julian Julio Justin Karl Keith Ken Kenneth Kenny Kevin Kurt Kyle Larry Lawrence Leo Leon Leonard Leroy "
            + "Liam Lionel Lorenzo Louis Lucas Luis Luke Malcolm Manuel Marcel Marco Marcus Mario Martin Marvin Mateo "
            + "Matt Matthew Maurice Michael Miguel Mitchell Mohamed Mohammed Moses Nathan Nathaniel Ned Neil Nelson "
            + "Nicholas Nicolas Noah Oliver Omar Otto Owen Pablo Patrick Paul Pedro Peter Phil Philip Phillip Quentin "
            + "Ralph Ramon Randall Randy Raphael Raul Raymond Reginald Ricardo Richard Rick Ricky Robert Roberto Rodney "
            + "Roger Roland Ron Ronald Ronnie Ross Roy Ruben Rudolph Russell Ryan Salvador Samuel Scott Sean Sebastian "
            + "Seth Simon Stanley Stephen Steve Steven Stuart Ted Terrence Theodore Thomas Tim Timothy Tobias Toby Todd "
            + "Tom Tommy Travis Trevor Tristan Tyler Vernon Vincent Vladimir Wallace Walter Warren Wayne Wesley Wilbur "
            + "William Willie Xavier Zachary Zack").Split(' '),
    ];

    private static readonly HashSet<string> SheSet = [.. She], HeSet = [.. He];

    public static bool IsName(string word) => SheSet.Contains(word) || HeSet.Contains(word);

    public static bool IsShe(string name) => SheSet.Contains(name);

    /// <summary>The list that a name is in.</summary>
    public static IReadOnlyList<string> Like(string name) => IsShe(name) ? She : He;
}
